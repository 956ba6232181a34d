"""Rules for the first fence, which a claim brings with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.idempotency.record import State, Verdict
from proxy.idempotency.transitions import claim
from tests.unit.idempotency.values import NOW, fence, row, wanted


def test_a_free_key_is_claimed_and_fenced_at_once() -> None:
    """Where the first attempt is known: the row says that it may have been sent."""
    verdict, taken = claim(None, wanted(fence=fence()), NOW)
    assert (verdict, taken.state, taken.attempt, taken.upstream) == (
        Verdict.RUN, State.SENDING, 1, "a",
    )  # fmt: skip
    assert (taken.partner_key, taken.send_by) == (fence().partner_key, fence().send_by)
    assert (taken.sent_at, taken.execution) == (NOW.wall, "unknown")


def test_a_key_that_was_freed_goes_on_from_its_row() -> None:
    """Its attempts are counted on; the partner's key is the row's, and fits every candidate."""
    freed = replace(row(State.RELEASED), attempt=3, partner_key="tg-next-one")
    _, taken = claim(freed, wanted(fence=fence(partner_key="tg-first")), NOW)
    assert (taken.state, taken.attempt, taken.partner_key) == (State.SENDING, 4, "tg-next-")
    _, bare = claim(freed, wanted(), NOW)
    assert (bare.state, bare.attempt, bare.partner_key) == (State.CLAIMED, 3, "tg-next-one")


@pytest.mark.parametrize("state", [state for state in State if state is not State.RELEASED])
def test_a_claim_that_is_not_granted_fences_nothing(state: State) -> None:
    """A repetition has a fence of its own, where the key is in doubt."""
    before = row(state)
    verdict, after = claim(before, wanted(fence=fence(upstream="z"), resend_s={"a": 3600.0}), NOW)
    assert after.upstream == before.upstream
    assert (after is before) is (verdict is not Verdict.RESEND)

"""Rules for news from outside, and for what stays when a key is taken anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.idempotency.record import Doubt, Release, State, Step, Superseded, Verdict
from proxy.idempotency.transitions import claim, step
from tests.unit.idempotency.values import SETTLE, fence, later, row, wanted


def test_duplicates_stay_counted_when_a_key_is_taken_anew() -> None:
    """A report names every one of them, also those from before a release."""
    free = replace(row(State.RELEASED), blocked=3, blocked_at=5.0)
    verdict, again = claim(free, wanted(), later(1.0))
    assert (verdict, again.blocked, again.blocked_at) == (Verdict.RUN, 3, 5.0)


@pytest.mark.parametrize("news", [SETTLE, Release("absent", of_all=True)])
def test_news_ends_a_doubt_for_a_repetition_too(news: Step) -> None:
    """One that has claimed the key, and has not sent yet, is superseded and sends nothing."""
    verdict, claimed = claim(row(State.IN_DOUBT), wanted(salt=7), later(1.0))
    assert verdict is Verdict.RESEND
    ended = step(claimed, claimed.token, news, later(2.0))
    with pytest.raises(Superseded):
        step(ended, claimed.token, fence(attempt=2), later(3.0))


@pytest.mark.parametrize(
    ("reason", "note"),
    [
        ("answered", "sent before: answered"),
        ("absent_by_inquiry", "sent before: absent_by_inquiry"),
        ("resolved", "sent before: resolved"),
        ("refused", ""),
    ],
)
def test_that_something_was_sent_is_remembered_when_a_key_is_taken_anew(
    reason: str, note: str
) -> None:
    """However often it is taken: the last run may never leave, and its row must not deny the
    earlier one.
    """
    free = row(State.SENDING)
    free = step(free, free.token, Release(reason, of_all=True), later(1.0))
    for number in (2, 3):
        _, again = claim(free, wanted(), later(2.0))
        again = step(again, again.token, fence(attempt=number), later(3.0))
        free = step(again, again.token, Release("refused"), later(4.0))
        assert (free.reason, free.note) == ("refused", note)


def test_an_operators_reason_is_not_lost_to_that() -> None:
    """It says more, and the row's reason says by itself that something was sent."""
    before = replace(row(State.SENDING), note="sent before: answered")
    doubt = step(before, before.token, Doubt("timeout"), later(1.0))
    free = step(doubt, doubt.token, Release("resolved", of_all=True, note="asked"), later(2.0))
    assert free.note == "asked"

"""Rules for news from outside, and for what stays when a key is taken anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.idempotency.record import Release, State, Step, Superseded, Verdict
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

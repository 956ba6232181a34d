"""`proxy.telemetry.keep`: a sample, and each call that somebody will ask about."""

from __future__ import annotations

import pytest

from proxy.model.events import CallEnded
from proxy.model.outcome import Answered, Execution, Refused
from proxy.model.telemetry import Keeping
from proxy.telemetry.keep import Keeper
from tests.support.values import call, response
from tests.unit.telemetry.traced import DOUBT, UNSENT, done, ended


def _keeper(**over: float) -> Keeper:
    """One that has seen a common answer already."""
    made = Keeper(Keeping(**over), 0.0)
    made.why(ended(done()))
    return made


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (ended(done()), ""),
        (ended(done(), flags=b"01"), "sampled"),
        (ended(done(), flags=b"03"), "sampled"),
        (ended(UNSENT), "failed"),
        (ended(DOUBT), "in_doubt"),
        (ended(UNSENT, done()), "failed_over"),
        (ended(done(), seconds=5.0), "slow"),
        (ended(done(402)), "first_seen"),
        (ended(Answered("acme", "a", response(503), Execution.UNKNOWN)), "in_doubt"),
        (ended(Answered("acme", "a", response(429), Execution.NONE)), "failed"),
    ],
)
def test_what_ends_well_is_left_to_the_sample(event: CallEnded, why: str) -> None:
    """Everything else is traced, with the reason."""
    assert _keeper().why(event) == why


def test_calls_without_an_attempt_are_refused_or_replayed() -> None:
    """Both are looked for later."""
    refused = Refused("shed", 503, "")
    assert _keeper().why(CallEnded(call(), refused, 0.0)) == "failed"
    assert _keeper().why(CallEnded(call(), done(replayed=True), 0.0)) == "repeated"


def test_a_status_is_new_once() -> None:
    """At each upstream and operation; the first one shows what it looks like."""
    keeper = _keeper()
    assert [keeper.why(ended(done(418))) for _ in range(3)] == ["first_seen", "", ""]


def test_calls_of_an_upstream_that_is_not_well_are_kept() -> None:
    """The good ones among them tell what the others have in common."""
    keeper = _keeper()
    keeper.degraded = frozenset({"a"})
    assert keeper.why(ended(done())) == "degraded"


def test_more_than_fit_into_a_second_are_counted_and_not_kept() -> None:
    """Refused calls leave half of the room to those that may have been executed."""
    keeper = _keeper(traces_per_s_max=10.0)
    assert sum(keeper.room(0.0, sent=False) for _ in range(20)) == 5
    assert sum(keeper.room(0.0, sent=True) for _ in range(20)) == 5
    assert keeper.dropped == 30
    assert keeper.room(0.1, sent=True)
    assert not keeper.room(0.1, sent=True)

"""`proxy.health.findings` on virtual time: what opens a finding, keeps it, and ends it."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.health.findings import ENDED_KEPT_MAX, OPENS_AT, WINDOW_S, Findings
from proxy.model.events import AttemptEnded
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused, Unsent
from proxy.model.phase import Phase
from proxy.model.unsettled import Unsettled
from tests.support.manual_clock import WALL_START_S, ManualClock
from tests.support.values import CARD, attempt, call, request, response


def _refused(upstream: str = "a", reason: str = "refused") -> Outcome:
    return Unsent("acme", upstream, Phase.CONNECT, reason, Origin.PARTNER)


class _Noticing:
    """Findings on a clock, told of attempts."""

    def __init__(self, start_s: float = 1000.0) -> None:
        self.clock = ManualClock(start_s)
        self.findings = Findings(self.clock)

    def fail(self, times: int, every_s: float = 0.0, outcome: Outcome | None = None) -> None:
        """So many attempts end so, each after a pause."""
        for _ in range(times):
            self.clock.advance(every_s)
            asked = request(target=f"/{CARD}".encode(), body=CARD.encode())
            record = attempt(outcome=outcome or _refused())
            self.findings.attempt(AttemptEnded(call(asked), record))

    def listed(self, which: str = "findings") -> list[dict[str, Any]]:
        """The findings of one list of the report."""
        report = self.findings.report()
        assert report["schema"] == 1
        found = report[which]
        assert isinstance(found, list)
        return found


@pytest.mark.parametrize(("times", "found"), [(OPENS_AT - 1, 0), (OPENS_AT, 1), (50, 1)])
def test_three_times_the_same_within_half_a_minute_is_a_finding(times: int, found: int) -> None:
    """Twice may be chance; fifty times is still one."""
    noticing = _Noticing()
    noticing.fail(times)
    assert len(noticing.listed()) == found


@pytest.mark.parametrize("start_s", [0.0, 5.0, 1e6])
def test_a_finding_names_place_phase_and_doing_with_its_times(start_s: float) -> None:
    """Since the first of the row, in wall-clock seconds; also on a machine that has just booted."""
    noticing = _Noticing(start_s)
    noticing.fail(4, every_s=2.0)
    assert noticing.listed() == [
        {
            "partner": "acme",
            "upstream": "a",
            "phase": "connect",
            "reason": "refused",
            "origin": "partner",
            "since": WALL_START_S + 2.0,
            "last": WALL_START_S + 8.0,
            "count": 4,
        }
    ]


def test_different_things_are_not_added_up() -> None:
    """By upstream, by reason, by phase and by kind of ending."""
    noticing = _Noticing()
    for outcome in (
        _refused("a"),
        _refused("b"),
        _refused("a", "timeout"),
        Unsent("acme", "a", Phase.TLS, "refused", Origin.PARTNER),
    ):
        noticing.fail(2, outcome=outcome)
    assert noticing.listed() == []


@pytest.mark.parametrize(
    "outcome",
    [
        Answered("acme", "a", response(), Execution.DONE),
        Answered("acme", "a", response(500), Execution.UNKNOWN),
        Refused("shed", 503, "No."),
    ],
)
def test_answers_and_our_own_refusals_are_no_findings(outcome: Outcome) -> None:
    """An observation is of what keeps failing on the way."""
    noticing = _Noticing()
    noticing.fail(10, outcome=outcome)
    assert noticing.listed() == []


def test_what_is_in_doubt_is_noticed_too() -> None:
    """A partner that hangs fails as much as one that refuses."""
    noticing = _Noticing()
    hung = InDoubt("acme", "a", Phase.FIRST_BYTE, "timeout", Origin.PARTNER)
    noticing.fail(3, outcome=hung)
    (finding,) = noticing.listed()
    assert (finding["phase"], finding["reason"]) == ("first_byte", "timeout")


def test_three_failures_spread_wider_than_the_window_are_no_finding() -> None:
    """A failure every twenty seconds is three in forty."""
    noticing = _Noticing()
    noticing.fail(20, every_s=20.0)
    assert noticing.listed() == []
    noticing.fail(2, every_s=1.0)
    assert len(noticing.listed()) == 1


def test_a_finding_ends_after_half_a_minute_without_and_is_kept_as_ended() -> None:
    """To the instant: still open at thirty seconds, ended after."""
    noticing = _Noticing()
    noticing.fail(3)
    noticing.clock.advance(WINDOW_S)
    assert len(noticing.listed()) == 1
    noticing.clock.advance(0.001)
    assert noticing.listed() == []
    (ended,) = noticing.listed("ended")
    assert (ended["upstream"], ended["count"]) == ("a", 3)
    assert noticing.listed("ended") == [ended], "asking again does not end it again"


def test_what_comes_back_is_a_new_finding_with_a_new_beginning() -> None:
    """Whether or not anybody asked in between."""
    noticing = _Noticing()
    noticing.fail(3)
    noticing.clock.advance(100.0)
    noticing.fail(2)
    assert noticing.listed() == [], "two after a pause do not revive it"
    noticing.fail(1)
    (finding,) = noticing.listed()
    assert (finding["since"], finding["count"]) == (WALL_START_S + 100.0, 3)
    assert len(noticing.listed("ended")) == 1


def test_a_jump_of_the_wall_clock_neither_opens_nor_ends_anything() -> None:
    """Only the times shown follow it."""
    noticing = _Noticing()
    noticing.fail(2)
    noticing.clock.wall_jump_s = 90_000.0
    noticing.fail(1)
    (finding,) = noticing.listed()
    assert finding["last"] == WALL_START_S + 90_000.0
    noticing.clock.wall_jump_s = -90_000.0
    assert len(noticing.listed()) == 1
    assert noticing.listed("ended") == []


def test_memory_is_bounded() -> None:
    """Ended findings are kept up to a number, and nothing is kept of what never opened."""
    noticing = _Noticing()
    for number in range(ENDED_KEPT_MAX + 20):
        noticing.fail(3, outcome=_refused(f"u{number}"))
        noticing.clock.advance(WINDOW_S + 1)
        noticing.findings.report()
    ended = noticing.listed("ended")
    assert len(ended) == ENDED_KEPT_MAX
    assert ended[-1]["upstream"] == f"u{ENDED_KEPT_MAX + 19}"
    assert noticing.findings._troubles == {}


def test_nothing_of_a_request_is_in_a_finding() -> None:
    """Only names from the configuration and fixed words."""
    noticing = _Noticing()
    noticing.fail(3)
    assert CARD not in repr(noticing.findings.report())


def _doubt(old: int, since: float = WALL_START_S, upstream: str = "a", **over: Any) -> Unsettled:
    state = over.get("state", "in_doubt")
    return Unsettled(state, "acme", upstream, "authorize", old + 1, since, old)


def test_what_is_in_doubt_for_too_long_is_a_finding_until_it_is_settled() -> None:
    """One for each upstream, with how many there are and since when."""
    noticing = _Noticing()
    noticing.clock.advance(400.0)
    noticing.findings.in_doubt([_doubt(2), _doubt(1, WALL_START_S - 5.0), _doubt(1, upstream="b")])
    first, second = noticing.listed()
    assert first == {
        "partner": "acme",
        "upstream": "a",
        "phase": "settle",
        "reason": "in_doubt_old",
        "origin": "partner",
        "since": WALL_START_S - 5.0,
        "last": WALL_START_S + 400.0,
        "count": 3,
    }
    assert (second["upstream"], second["count"]) == ("b", 1)
    noticing.findings.in_doubt([_doubt(1, upstream="b")])
    assert [each["upstream"] for each in noticing.listed()] == ["b"]
    assert noticing.listed("ended") == [first]
    noticing.findings.in_doubt([])
    assert noticing.listed() == []
    assert len(noticing.listed("ended")) == 2


def test_a_young_doubt_and_a_call_at_work_are_no_findings() -> None:
    """They may end by themselves."""
    noticing = _Noticing()
    noticing.findings.in_doubt([_doubt(0), _doubt(3, state="sending")])
    assert (noticing.listed(), noticing.listed("ended")) == ([], [])


def test_a_name_in_trouble_is_a_finding_until_it_is_not() -> None:
    """Served past its time, or said to be gone: origin dns, since when, and for how long."""
    noticing = _Noticing()
    since = noticing.clock.now()
    noticing.clock.advance(10.0)
    for _ in range(3):
        noticing.findings.names([("acme", "a", "server_failure", since)])
    (found,) = noticing.listed()
    assert (found["partner"], found["upstream"], found["phase"]) == ("acme", "a", "resolve")
    assert (found["reason"], found["origin"], found["count"]) == ("server_failure", "dns", 3)
    assert found["since"] == WALL_START_S
    noticing.findings.names([])
    assert noticing.listed() == []
    assert [each["reason"] for each in noticing.listed("ended")] == ["server_failure"]


def test_checks_that_fail_are_a_finding_for_as_long_as_they_do() -> None:
    """And so is a standby that is not proven; each with since when, and among the ended after."""
    noticing = _Noticing()
    dead = ("acme", "b", "check connect", "refused", "partner", 990.0)
    unproven = ("acme", "b", "standby", "not_proven", "partner", 700.0)
    noticing.findings.checks([dead, unproven])
    noticing.findings.checks([dead])
    [found] = noticing.listed()
    assert (found["phase"], found["reason"], found["count"]) == ("check connect", "refused", 2)
    assert found["since"] == WALL_START_S - 10.0
    noticing.findings.checks([])
    assert noticing.listed() == []
    assert [each["reason"] for each in noticing.listed("ended")] == ["not_proven", "refused"]

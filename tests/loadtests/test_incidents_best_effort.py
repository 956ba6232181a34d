"""What INC-06 promises: held by an honest history, missed by each planted wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.incidents import inc_06, inc_06_arms
from loadtests.incidents.history import CallRecord, History
from loadtests.incidents.plain import PlainCaller, plain_session
from loadtests.incidents.registry import REPLAYS
from loadtests.incidents.result import Bar
from loadtests.incidents.schedule import Load, plan
from proxy.settings.load import load
from tests.loadtests.records import succeeded
from tests.support.origin import Origin
from tests.support.peer import Peer


def missed(bars: Sequence[Bar]) -> list[str]:
    """The names of the bars that did not hold."""
    return [bar.name for bar in bars if not bar.held]


def record(at: float, seconds: float, **members: object) -> CallRecord:
    """A call that was due and taken at this instant; `members` differ from a success."""
    return succeeded(at, seconds, "visa", **members)


def stand_in(at: float, seconds: float = 0.051) -> CallRecord:
    """A call to the slow tracker, answered by the sidecar at the end of the budget."""
    return record(at, seconds, status=202, outcome="substituted", execution="unknown")


def tracks(*others: CallRecord) -> History:
    """Two thousand honest calls, and a few others."""
    return History([*(stand_in(float(n)) for n in range(2000)), *others])


def test_it_is_a_replay_with_a_valid_configuration(tmp_path: Path) -> None:
    """Without a warning: the tracker is declared free of money."""
    assert REPLAYS["INC-06"] is inc_06.INC_06
    path = tmp_path / "tidegate.yaml"
    config = inc_06.configuration("http://127.0.0.1:4", "http://127.0.0.1:5")
    path.write_text(json.dumps(config), encoding="utf-8")
    loaded = load(path, {})
    assert loaded.warnings == []
    effort = loaded.settings.routes[1].best_effort
    assert effort is not None
    assert effort.budget_s * 1000 == inc_06_arms.BUDGET_MS


def test_callers_of_a_slow_tracker_have_their_reply_in_time() -> None:
    """Budget and 10 ms, for all but one in a thousand."""
    assert missed(inc_06.track_bars(tracks())) == []
    assert missed(inc_06.track_bars(tracks(stand_in(3000.0, 0.2)))) == []
    slow = [stand_in(3000.0 + n, 0.061) for n in range(3)]
    assert missed(inc_06.track_bars(tracks(*slow))) == ["caller's p99.9"]


def test_the_drivers_own_lag_is_not_the_sidecars() -> None:
    """A budget begins when the call arrives."""
    late = [replace(stand_in(3000.0), scheduled_at=2900.0) for _ in range(9)]
    assert missed(inc_06.track_bars(tracks(*late))) == []


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"status": 0, "outcome": ""}, ["callers answered", "replies that stood in"]),
        ({"outcome": "answered"}, ["replies that stood in"]),
        ({"status": 504}, ["replies that stood in"]),
    ],
    ids=["no answer", "passed off as the tracker's", "another reply"],
)
def test_a_reply_that_did_not_stand_in_is_missed(
    wrong: dict[str, object], names: list[str]
) -> None:
    """A tenth of them; a fault that does not bite fails, too."""
    others = [replace(stand_in(3000.0 + n), **wrong) for n in range(220)]  # type: ignore[arg-type]
    assert missed(inc_06.track_bars(tracks(*others))) == names


def paying(seconds: float = 0.05) -> History:
    """An arm of payments."""
    return History([record(float(n), seconds) for n in range(100)])


def test_payments_must_not_notice() -> None:
    """At most 1.2 times as slow in the median pair, and every one of them done."""
    healthy = [paying()] * 3
    assert missed(inc_06.payment_bars([paying(0.059)] * 3, healthy)) == []
    assert missed(inc_06.payment_bars([paying(0.061)] * 3, healthy)) == ["payments' p99 to healthy"]
    lost = History([*paying().records[1:], record(0.0, 0.05, status=503, execution="none")])
    assert missed(inc_06.payment_bars([paying(), lost, paying()], healthy)) == ["payments' success"]


async def test_the_plain_client_makes_the_calls_of_a_schedule() -> None:
    """Answered, and given up on."""
    calls = plan(Load(100.0, 0.05, 1, "p", {"visa": 1.0}), "arm")

    def hangs(peer: Peer) -> None:
        peer.read_request()
        peer.wait_closed()

    with Origin() as well, Origin(hangs) as hung:
        async with plain_session(0.2) as session:
            for origin, status in ((well, 200), (hung, 0)):
                history = History.planned(calls, 0.0)
                caller = PlainCaller(session, f"http://127.0.0.1:{origin.port}")
                await caller.run("/pay", calls, history)
                assert [each.status for each in history.records] == [status] * len(calls)
                assert caller.in_flight == 0
        assert {received.target for received in well.received} == {"/pay"}
        assert history.records[0].error == "TimeoutError"

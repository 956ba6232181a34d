"""What INC-05, INC-09 and INC-21 promise: held by honest histories, missed by planted wrongs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtests.incidents import inc_05, inc_05_storm, inc_09, inc_21
from loadtests.incidents.arms import TIDEGATE, Played
from loadtests.incidents.history import CallRecord, History
from loadtests.incidents.progress import Progress
from loadtests.incidents.registry import REPLAYS
from loadtests.incidents.result import Bar
from loadtests.incidents.run import Run
from proxy.settings.load import load
from tests.loadtests.records import succeeded

FAULT_AT, CLEARED_AT, END_AT = 100.0, 120.0, 130.0
URLS = ["http://127.0.0.1:4", "http://127.0.0.1:5"]


def missed(bars: Sequence[Bar]) -> list[str]:
    """The names of the bars that did not hold."""
    return [bar.name for bar in bars if not bar.held]


def call(at: float, **members: object) -> CallRecord:
    """A call that succeeded with one attempt; `members` differ."""
    return replace(succeeded(at, 0.05, "visa"), **{"attempts": 1, **members})  # type: ignore[arg-type]


def refused(at: float, **members: object) -> CallRecord:
    """A call that the sidecar made no attempt for."""
    return call(at, **{"status": 503, "execution": "none", "attempts": 0, **members})


def played(records: Sequence[CallRecord], *said: str, found_s: float = math.nan) -> Played:
    """The sidecar's arm, with these calls."""
    return Played(
        TIDEGATE,
        History(list(records)),
        FAULT_AT,
        CLEARED_AT,
        found_s,
        dict.fromkeys(said, found_s),
    )


def every(interval_s: float, start: float, end: float) -> list[float]:
    """Instants in [start, end)."""
    return [start + n * interval_s for n in range(round((end - start) / interval_s))]


@pytest.mark.parametrize(
    "config",
    [inc_05.configuration(URLS[0]), inc_09.configuration(URLS), inc_21.configuration(URLS)],
)
def test_the_configurations_are_valid(tmp_path: Path, config: Mapping[str, Any]) -> None:
    """The sidecar accepts what the replays give it, without a warning."""
    path = tmp_path / "tidegate.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")
    assert load(path, {}).warnings == []


def test_they_can_be_asked_for() -> None:
    """By the incidents' ids."""
    assert {"INC-05", "INC-09", "INC-21"} <= set(REPLAYS)


@pytest.mark.parametrize("quick", [False, True])
def test_a_story_has_its_fault_in_the_middle(quick: bool) -> None:
    """Calls before, during and after it, the same payments for every arm."""
    run = Run(quick=quick, factor=1.0, directory=Path(), progress=Progress("test"))
    stories = [inc_05.story(run), inc_09.story(run)]
    stories += [inc_21.story(run, *each) for each in inc_21.FAULTS.items()]
    stories += [inc_05_storm.story(run, *each) for each in inc_05_storm.FAULTS.items()]
    for story in stories:
        calls = story.calls("one")
        assert 0 < story.fault_s < story.clear_s < calls[-1].offset_s
        assert [each.reference for each in calls] == [each.reference for each in story.calls("two")]


def saturated(high: float = 1.0, refusals: int = 0, attempts: int = 1) -> list[Bar]:
    """INC-05's bars on a partner that does all it can, 250 calls/s, but for what is planted."""
    served = every(1 / 250, FAULT_AT, END_AT)
    records = [
        call(at, scheme=("visa", "mastercard")[n % 2], attempts=attempts)
        for n, at in enumerate(served)
    ]
    shed = [refused(at, scheme="mastercard") for at in every(1 / 250, FAULT_AT, CLEARED_AT)]
    records[:4000:2] = [
        each if n < 2000 * high else refused(each.scheduled_at)
        for n, each in enumerate(records[:4000:2])
    ]
    late = [refused(at) for at in every(0.01, CLEARED_AT, CLEARED_AT + refusals)]
    return inc_05.bars(played(sorted([*records, *shed, *late], key=lambda r: r.scheduled_at)))


def test_a_saturated_partner_is_kept_at_work() -> None:
    """All that it can do is done, payments go first, and it is well when its partner is."""
    assert missed(saturated()) == []
    assert missed(saturated(high=0.98)) == ["high priority's success"]
    assert missed(saturated(high=0.8)) == ["goodput to capacity", "high priority's success"]
    assert missed(saturated(attempts=3)) == ["attempts to calls"]
    assert missed(saturated(refusals=6)) == ["back to normal"]


def storm(attempts: int, per_s: float) -> list[Bar]:
    """The storm's bars where calls make so many attempts, and so many come when it is back."""
    ours = played([refused(at, attempts=attempts) for at in every(0.1, FAULT_AT, CLEARED_AT)])
    ours.requests = [(at, round((at - FAULT_AT) * per_s)) for at in every(0.05, FAULT_AT, END_AT)]
    return inc_05_storm.bars("storm", ours)


def test_a_storm_is_neither_made_nor_kept() -> None:
    """Attempts stay near the calls, and what comes back stays near the usual."""
    assert missed(storm(1, inc_05_storm.RATE_PER_S)) == []
    assert missed(storm(2, inc_05_storm.RATE_PER_S)) == ["attempts to calls"]
    assert len(missed(storm(1, 2 * inc_05_storm.RATE_PER_S))) == 1


def three_ds(*said: str, found_s: float = 6.0, failing: int = 0, moved: bool = True) -> list[Bar]:
    """INC-09's bars: every fifth call of twenty in vain for each of `failing`."""
    upstream = "second" if moved else "first"
    records = [
        call(at, upstream=upstream, status=500 if n % 20 < failing else 200)
        for n, at in enumerate(every(0.2, FAULT_AT, CLEARED_AT))
    ]
    return inc_09.bars(played(records, *said, found_s=found_s))


def test_a_failing_share_is_found_and_left() -> None:
    """In time, at the right server, and calls succeed at the other one from then on."""
    right, wrong = "first authenticate: degraded", "second authenticate: degraded"
    assert missed(three_ds(right)) == []
    assert missed(three_ds(right, found_s=16.0)) == ["found"]
    assert missed(three_ds(right, wrong)) == ["verdicts on anybody else"]
    assert missed(three_ds(right, failing=2)) == ["success once found"]
    assert missed(three_ds(right, moved=False)) == ["answered by the second server once found"]
    assert "found" in missed(three_ds())
    assert "found" in missed(three_ds("first first_byte: timeout"))


def all_down(tried_one_in: int, back_s: float) -> list[Bar]:
    """INC-21's bars: of so many calls one is tried, and refusals go on for so long afterwards."""
    during = [
        refused(at, attempts=n % tried_one_in == 0)
        for n, at in enumerate(every(0.05, FAULT_AT, CLEARED_AT))
    ]
    after = [
        refused(at) if 0.0 < at - CLEARED_AT < back_s else call(at)
        for at in every(0.05, CLEARED_AT, END_AT)
    ]
    return inc_21.bars("part", played([*during, *after]))


def test_the_last_way_out_is_never_closed() -> None:
    """One call in five is tried, and the first successes bring all back within five seconds."""
    assert missed(all_down(5, 3.0)) == []
    assert missed(all_down(6, 3.0)) == ["calls tried all the same"]
    assert missed(all_down(5, 6.0)) == ["full traffic after the first success"]
    assert missed(all_down(5, 99.0)) == ["full traffic after the first success"]


def test_nothing_recovered_is_no_recovery() -> None:
    """Without a single success there is no instant to count from, and the bar is missed."""
    ours = played([refused(at, attempts=1) for at in every(0.05, FAULT_AT, END_AT)])
    assert missed(inc_21.bars("part", ours)) == ["full traffic after the first success"]

"""What INC-04 and INC-08 promise: held by an honest history, missed by each planted wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.incidents import inc_04, inc_08
from loadtests.incidents.history import CallRecord, History, merged
from loadtests.incidents.progress import Progress
from loadtests.incidents.result import Bar
from loadtests.incidents.run import Run
from proxy.settings.load import load
from tests.loadtests.records import succeeded

FAULT_AT = 100.0
CLEARED_AT = 122.0


def run(tmp_path: Path, *, factor: float = 1.0, quick: bool = False) -> Run:
    """A run that is only asked for its scale."""
    return Run(quick=quick, factor=factor, directory=tmp_path, progress=Progress("test"))


def call(at: float, seconds: float = 0.05, scheme: str = "amex", **members: object) -> CallRecord:
    """A call that succeeded at the primary; `members` differ."""
    served = {"upstream": "primary", "partner_time_s": seconds - 0.001, **members}
    return succeeded(at, seconds, scheme, **served)


def unsent(at: float) -> CallRecord:
    """A call that nobody took."""
    return call(at, status=503, outcome="unsent", execution="none", upstream="primary")


def in_doubt(at: float, seconds: float = 0.05, scheme: str = "amex") -> CallRecord:
    """A call of which nobody knows."""
    return call(at, seconds, scheme, status=504, outcome="in_doubt", execution="unknown")


def missed(bars: list[Bar]) -> list[str]:
    """The names of the bars that did not hold."""
    return [bar.name for bar in bars if not bar.held]


@pytest.mark.parametrize("factor", [1.0, 0.4])
def test_the_configurations_are_valid(tmp_path: Path, factor: float) -> None:
    """The sidecar accepts what the replays give it, without a warning, scaled or not."""
    given = run(tmp_path, factor=factor)
    for name, config in (
        ("inc-04", inc_04.configuration(given, "http://127.0.0.1:4")),
        ("inc-08", inc_08.configuration(given, "http://127.0.0.1:4", "http://127.0.0.1:5")),
    ):
        path = tmp_path / f"{name}.yaml"
        path.write_text(json.dumps(config), encoding="utf-8")
        loaded = load(path, {})
        assert loaded.warnings == []


def test_a_run_scales_intervals() -> None:
    """The factor multiplies seconds, in the bars and in the file alike."""
    given = run(Path(), factor=0.4)
    assert given.scaled(10.0) == 4.0
    assert given.duration(1.5) == "600ms"


def region_goes() -> list[CallRecord]:
    """Two calls in flight and one idle connection at the fault, then failover for every call."""
    met = [in_doubt(FAULT_AT - 0.02), in_doubt(FAULT_AT - 0.01), in_doubt(FAULT_AT + 0.1)]
    moved = [call(FAULT_AT + 0.2 + n / 10, upstream="standby") for n in range(210)]
    return [call(FAULT_AT - 1), *met, *moved]


def region_bars(tmp_path: Path, records: list[CallRecord]) -> list[Bar]:
    """INC-08's bars on a history, in the long form."""
    fault = inc_08.Fault(
        idle=1,
        sampled_at=FAULT_AT - 0.005,
        ordered_at=FAULT_AT - 0.003,
        confirmed_at=FAULT_AT,
        cleared_at=CLEARED_AT,
    )
    return inc_08.bars(run(tmp_path), "refuse", History(records), fault)


def test_inc_08_holds_for_an_honest_history(tmp_path: Path) -> None:
    """In doubt is bounded by calls in flight plus idle connections, and the figures say so."""
    bars = region_bars(tmp_path, region_goes())
    assert missed(bars) == []
    [doubts] = [bar for bar in bars if bar.name == "in doubt"]
    assert (doubts.figure, doubts.limit) == (3, 3)


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (unsent(FAULT_AT + 0.3), "unsent calls that succeeded by failover"),
        (in_doubt(FAULT_AT + 0.3), "in doubt"),
        (call(FAULT_AT + 11, 5.1, upstream="standby"), "the slowest of them"),
    ],
)
def test_inc_08_is_missed_by_a_single_call(tmp_path: Path, wrong: CallRecord, name: str) -> None:
    """One unsent call that did not move, one doubt too many, one call past its deadline."""
    assert missed(region_bars(tmp_path, [*region_goes(), wrong])) == [name]


def test_inc_08_asks_for_success_after_ten_seconds(tmp_path: Path) -> None:
    """Two failures among a hundred late calls are more than 1 %."""
    wrong = [unsent(FAULT_AT + 15), unsent(FAULT_AT + 16)]
    assert missed(region_bars(tmp_path, [*region_goes(), *wrong])) == [
        "unsent calls that succeeded by failover",
        "success of calls begun 10 s or more after the fault",
    ]


def test_inc_08_proves_nothing_if_no_call_met_the_fault(tmp_path: Path) -> None:
    """A fault that did not bite fails the replay instead of passing it."""
    assert "unsent calls that succeeded by failover" in missed(
        region_bars(tmp_path, [call(FAULT_AT + n) for n in range(22)])
    )


def arm(seconds: float = 0.05) -> History:
    """An arm of a hundred calls of another scheme, some of them slower."""
    return History([call(n, seconds + n / 10_000) for n in range(100)])


def test_inc_04_wants_every_hung_call_answered_in_time(tmp_path: Path) -> None:
    """Deadline plus 250 ms, both scaled; a call without any answer is a miss of its own."""
    given = run(tmp_path, factor=0.5)
    told = [in_doubt(1.0, 1.62, "visa"), call(2.0, 9.0, "amex")]
    assert missed(inc_04.hung_bars(given, "arm", History(told))) == []
    late = History([*told, in_doubt(2.0, 1.63, "visa")])
    assert missed(inc_04.hung_bars(given, "arm", late)) == ["slowest hung call"]
    silent = History([*told, call(2.0, 1.0, "visa", status=0, error="closed")])
    assert missed(inc_04.hung_bars(given, "arm", silent)) == ["hung calls answered"]


@pytest.mark.parametrize(
    ("bend", "names"),
    [
        (lambda record: record, []),
        (lambda record: replace(record, ended_at=record.ended_at + 0.0004), []),
        (
            lambda record: replace(record, ended_at=record.ended_at + 0.0006),
            ["growth of our share p99"],
        ),
        (
            lambda record: call(record.scheduled_at, 1.21 * record.latency_s),
            ["others' p99 to healthy"],
        ),
    ],
)
def test_inc_04_compares_the_others_with_the_healthy_arm(
    tmp_path: Path, bend: Callable[[CallRecord], CallRecord], names: list[str]
) -> None:
    """The same payments, at most 1.2 times as slow, and at most 0.5 ms of it our doing."""
    faulty = History([bend(record) for record in arm().records])
    bars = inc_04.others_bars(run(tmp_path), "arm", [faulty] * 3, [arm()] * 3)
    assert missed(bars) == names


def test_inc_04_misses_with_one_other_call_lost(tmp_path: Path) -> None:
    """100 % means every call of another scheme."""
    faulty = merged([arm(), History([unsent(1.0)])])
    bars = inc_04.others_bars(run(tmp_path), "arm", [faulty] * 3, [arm()] * 3)
    assert "others' success" in missed(bars)


def test_only_the_quick_form_widens_the_bar_by_the_machines_noise(tmp_path: Path) -> None:
    """By what healthy arms differ among themselves, and the note says by how much."""
    noisy = History([replace(r, ended_at=r.ended_at + 0.002) for r in arm().records])
    healthy, faulty = [arm(), noisy, arm()], [noisy, noisy, noisy]
    assert missed(inc_04.others_bars(run(tmp_path), "arm", faulty, healthy)) == [
        "growth of our share p99"
    ]
    bars = inc_04.others_bars(run(tmp_path, quick=True), "arm", faulty, healthy)
    assert missed(bars) == []
    assert "2.00 ms by which healthy arms differ" in bars[-1].note

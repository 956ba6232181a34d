"""The bench's call, its reading of wrk, its statistics and its options."""

from __future__ import annotations

import json

import pytest

from loadtests.bench import __main__ as command
from loadtests.bench.foreign import TICKS_PER_S, programs_s
from loadtests.bench.host import BenchError
from loadtests.bench.load import parse_wrk
from loadtests.bench.measure import Plan
from loadtests.bench.payload import ANSWER_BODY, REQUEST_BODY, request_bytes, wrk_script
from loadtests.bench.results import Closed, Opened
from loadtests.bench.schedule import poisson_schedule, sum_up
from loadtests.bench.stats import percentile, spread

FIGURES = {"calls": 4000, "duration_us": 2_000_000, "p50_us": 150, "p99_us": 900}
NO_ERRORS = {"connect": 0, "read": 0, "write": 0, "timeout": 0, "status": 0}


def test_the_call_has_the_promised_sizes() -> None:
    """The request has 250 bytes and the answer 300, both JSON that needs no quoting in Lua."""
    assert (len(REQUEST_BODY), len(ANSWER_BODY)) == (250, 300)
    assert json.loads(REQUEST_BODY)["currency"] == json.loads(ANSWER_BODY)["currency"] == "EUR"
    assert not set("'\\$") & set(REQUEST_BODY + ANSWER_BODY)


def test_wrk_sends_the_body_of_the_open_loop() -> None:
    """Both loops carry the same call."""
    assert REQUEST_BODY in wrk_script()
    assert request_bytes(80).endswith(b"\r\n\r\n" + REQUEST_BODY.encode())


def test_wrk_figures_are_read() -> None:
    """Calls per second follow from calls and the true duration, not from the wanted one."""
    output = "Running 2s test\nBENCH " + json.dumps(FIGURES | NO_ERRORS) + "\n"
    closed, problems = parse_wrk(output, 32)
    assert closed == Closed(32, 4000, 2000.0, 150.0, 900.0)
    assert problems == []


@pytest.mark.parametrize("kind", sorted(NO_ERRORS))
def test_each_kind_of_wrk_error_is_a_problem(kind: str) -> None:
    """Socket errors, timeouts and error statuses all make a run invalid."""
    output = "BENCH " + json.dumps(FIGURES | NO_ERRORS | {kind: 3})
    assert parse_wrk(output, 8)[1] == [f"8 connections: 3 {kind} errors"]


def test_no_answered_call_is_a_problem() -> None:
    """A subject that answers nothing cannot pass as one without errors."""
    output = "BENCH " + json.dumps(FIGURES | NO_ERRORS | {"calls": 0})
    assert parse_wrk(output, 1)[1] == ["1 connections: no call was answered"]


def test_wrk_output_without_figures_is_an_error() -> None:
    """Output that is not understood never becomes a figure."""
    with pytest.raises(BenchError, match="0 result lines"):
        parse_wrk("unable to connect", 1)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)]
)
def test_percentile_is_nearest_rank(share: float, expected: float) -> None:
    """A percentile is a value that was measured, in whatever order they came."""
    assert percentile([float(n) for n in range(100, 0, -1)], share) == expected


def test_time_of_programs_counts_interrupts_and_withheld_time() -> None:
    """All but idle and I/O wait of the one core: a process is charged for interrupts, too."""
    stat = f"cpu 9 9 9 9 9 9 9 9\ncpu1 1 2 4 8 16 32 64 {TICKS_PER_S} 0 0\nintr 5\n"
    assert programs_s(stat, 1) == pytest.approx((1 + 2 + 4 + 32 + 64) / TICKS_PER_S + 1)
    with pytest.raises(ValueError, match="no core 0"):
        programs_s(stat, 0)


def test_percentile_of_nothing_is_an_error() -> None:
    """No samples are no zero latency."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_spread_keeps_the_rounds_in_order() -> None:
    """Median and extremes do not lose the single rounds."""
    taken = spread([3.0, 1.0, 2.0])
    assert (taken.median, taken.least, taken.most) == (2.0, 1.0, 3.0)
    assert taken.rounds == (3.0, 1.0, 2.0)


def test_schedule_is_repeatable_and_has_the_rate() -> None:
    """Direct and every subject of a round get the same instants; the rate is the wanted one."""
    schedule = poisson_schedule(500, 20, seed=7)
    assert schedule == poisson_schedule(500, 20, seed=7) != poisson_schedule(500, 20, seed=8)
    assert schedule == sorted(schedule)
    assert schedule[-1] < 20
    assert len(schedule) == pytest.approx(10_000, rel=0.05)


def test_open_loop_figures_are_microseconds() -> None:
    """Seconds in, microseconds out."""
    assert sum_up([0.001] * 99 + [0.5], [0.00001]) == Opened(
        calls=100, p50_us=1000.0, p99_us=1000.0, lag_p99_us=10.0
    )


def test_unknown_subjects_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt subject is no silent omission."""
    with pytest.raises(SystemExit, match="2"):
        command.parse_args(["--subjects", "direct,envoi"])
    assert "choose from direct, tidegate, envoy" in capsys.readouterr().err


def test_quick_is_one_round_of_a_second() -> None:
    """`--quick` sets what is not given; what is given wins."""
    assert command.make_plan(command.parse_args(["--quick"])) == Plan(1, 1, 2)
    assert command.make_plan(command.parse_args(["--quick", "--rounds", "4"])) == Plan(4, 1, 2)
    assert command.make_plan(command.parse_args([])) == Plan(3, 4, 8)

"""`proxy.guard.window`: the last minute in seconds, and nothing of the minutes before."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from proxy.guard.verdicts import Verdict
from proxy.guard.window import SLOTS, SPAN_S, Window

NOTED = [each for each in Verdict if each is not Verdict.NOTHING]
FAILED = (Verdict.FAILURE, Verdict.UNREACHABLE)
TOO_LONG = (Verdict.SLOW, Verdict.OVERDUE)


@given(st.lists(st.tuples(st.sampled_from(NOTED), st.floats(0.0, 20.0)), max_size=80))
def test_the_totals_are_those_of_the_last_minute(steps: list[tuple[Verdict, float]]) -> None:
    """Beside a list of everything that was noted, by whole seconds."""
    window, now = Window(1000.0), 1000.0
    noted: deque[tuple[int, Verdict]] = deque()
    for verdict, pause_s in steps:
        now += pause_s
        window.note(verdict, 0.1, now)
        noted.append((int(now), verdict))
        recent = [said for second, said in noted if second > int(now) - SPAN_S]
        calls = [said for said in recent if said is not Verdict.OVERDUE]
        failed = [said for said in recent if said in FAILED]
        bad = [said for said in recent if said in FAILED or said is Verdict.SATURATED]
        late = [said for said in recent if said in TOO_LONG]
        assert window.totals(now) == (len(calls), len(failed), len(bad), len(late))


def test_time_alone_forgets() -> None:
    """Without a call, too, and also when the ring has gone round more than once."""
    window = Window(0.0)
    for second in range(SLOTS):
        window.note(Verdict.FAILURE, 0.1, float(second))
    assert window.totals(SLOTS - 1.0)[0] == SPAN_S
    assert window.totals(SLOTS + 29.0)[0] == 30
    assert window.totals(1e7) == (0, 0, 0, 0)


def test_an_instant_of_the_past_counts_as_the_newest() -> None:
    """Two readings of a clock may be noted in the other order."""
    window = Window(10.0)
    window.note(Verdict.SUCCESS, 0.1, 12.0)
    window.note(Verdict.FAILURE, 0.1, 11.9)
    assert window.totals(12.0) == (2, 1, 1, 0)


def test_failures_in_a_row_end_with_a_success() -> None:
    """An answer that fails ends those of connections; saturation is a sign of life."""
    window = Window(0.0)
    for second in range(3):
        window.note(Verdict.UNREACHABLE, 0.1, float(second))
    assert (window.unreachable_in_row, window.unreachable_since) == (3, 0.0)
    window.note(Verdict.FAILURE, 0.1, 3.0)
    assert (window.unreachable_in_row, window.failures_in_row, window.failures_since) == (0, 4, 0.0)
    window.note(Verdict.UNREACHABLE, 0.1, 4.0)
    assert (window.unreachable_in_row, window.unreachable_since) == (1, 4.0)
    window.note(Verdict.SATURATED, 0.1, 5.0)
    assert (window.unreachable_in_row, window.failures_in_row) == (0, 0)
    window.note(Verdict.FAILURE, 0.1, 6.0)
    window.note(Verdict.SUCCESS, 0.1, 7.0)
    assert window.failures_in_row == 0


def test_an_overdue_call_is_timed_once() -> None:
    """When it is overdue, and not again when it ends."""
    window = Window(0.0)
    window.note(Verdict.OVERDUE, 0.0, 5.0)
    window.note(Verdict.SLOW, 7.0, 7.0, timed=False)
    window.note(Verdict.OVERDUE, 0.0, 7.0, timed=False)
    assert window.totals(7.0) == (1, 0, 0, 1)
    assert sum(window.timed) == 1


def test_beginning_anew_keeps_the_baseline() -> None:
    """Counts go; what is ordinary here stays known."""
    window = Window(0.0)
    for index in range(1000):
        window.note(Verdict.SUCCESS, 0.2, index / 5)
    window.note(Verdict.FAILURE, 0.2, 200.0)
    learned = window.baseline.p99_s
    window.clear()
    assert window.totals(200.0) == (0, 0, 0, 0)
    assert window.failures_in_row == 0
    assert window.baseline.p99_s == learned is not None


def test_the_memory_does_not_grow() -> None:
    """As many counters after a hundred thousand calls as before the first."""

    def counters(window: Window) -> int:
        fields = [getattr(window, name) for name in Window.__slots__]
        inner = [getattr(window.baseline, name) for name in type(window.baseline).__slots__]
        return sum(len(each) for each in (*fields, *inner) if isinstance(each, list))

    window = Window(0.0)
    before = counters(window)
    for index in range(100_000):
        window.note(NOTED[index % len(NOTED)], 0.1, index / 100)
    assert counters(window) == before


def test_what_a_part_had_noted_can_be_taken_out() -> None:
    """What is left is the rest, second by second; what came in a row is not known any more."""
    whole, part, rest = Window(0.0), Window(0.0), Window(0.0)
    for index in range(400):
        verdict, now = NOTED[index % len(NOTED)], index / 5
        whole.note(verdict, 0.1, now)
        (part if index % 3 else rest).note(verdict, 0.1, now)
    for each in (whole, part, rest):
        each.note_time(80.0)
    whole.subtract(part)
    assert whole.totals(80.0) == rest.totals(80.0)
    assert whole.counted(10, slow=True) == rest.counted(10, slow=True)
    assert whole.counted(10, slow=False) == rest.counted(10, slow=False)
    assert whole.failures_in_row == 0

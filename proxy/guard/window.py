"""PURE. What happened to one slice in the last minute, second by second.

A ring of counters for each second of the monotonic clock that is handed in.
Noting a call touches one place in each of a few lists, however many calls there
are; the memory never grows. What it means is said in `evidence.py`.
"""

from __future__ import annotations

from proxy.guard.baseline import Baseline
from proxy.guard.verdicts import Verdict

SPAN_S = 60
"""How far back evidence goes."""
SLOTS = 64
"""More than the span, and a power of two."""
_MASK = SLOTS - 1
_SUCCESS, _SLOW, _OVERDUE = Verdict.SUCCESS, Verdict.SLOW, Verdict.OVERDUE
_UNREACHABLE, _SATURATED = Verdict.UNREACHABLE, Verdict.SATURATED


class Window:
    """Counters by second, failures in a row, and the baseline of the slice."""

    __slots__ = (
        "bad", "baseline", "calls", "failures", "failures_in_row", "failures_since", "second",
        "slow", "timed", "unreachable_in_row", "unreachable_since",
    )  # fmt: skip

    def __init__(self, now: float) -> None:
        self.baseline = Baseline(now)
        self.second = int(now)
        """The newest second noted."""
        self.calls = [0] * SLOTS
        """Calls with a verdict."""
        self.failures = [0] * SLOTS
        """Those of them that failed."""
        self.bad = [0] * SLOTS
        """Those that failed or met saturation."""
        self.timed = [0] * SLOTS
        """Calls judged by their time: answered, or overdue."""
        self.slow = [0] * SLOTS
        """Those of them that took too long."""
        self.failures_in_row = 0
        self.failures_since = now
        self.unreachable_in_row = 0
        self.unreachable_since = now

    def note(self, verdict: Verdict, took_s: float, now: float, *, timed: bool = True) -> None:
        """Note a call's verdict, which is not NOTHING; `timed` False: it was noted as overdue."""
        second = int(now)
        if second > self.second:
            self._advance(second)
        slot = self.second & _MASK
        if verdict is _SUCCESS or verdict is _SLOW:
            self.calls[slot] += 1
            self.failures_in_row = self.unreachable_in_row = 0
            if timed:
                self.timed[slot] += 1
                if verdict is _SLOW:
                    self.slow[slot] += 1
            self.baseline.answered(took_s, now)
        elif verdict is not _OVERDUE:
            self._note_bad(verdict, slot, now)
        elif timed:
            self.timed[slot] += 1
            self.slow[slot] += 1

    def totals(self, now: float) -> tuple[int, int, int, int]:
        """Calls, failures, bad and slow of the last minute."""
        self.note_time(now)
        older = [(self.second - age) & _MASK for age in range(SPAN_S, SLOTS)]  # there are four
        columns = (self.calls, self.failures, self.bad, self.slow)
        calls, failures, bad, slow = [
            sum(each) - sum([each[slot] for slot in older]) for each in columns
        ]
        return calls, failures, bad, slow

    def note_time(self, now: float) -> None:
        """Let time pass without a call."""
        second = int(now)
        if second > self.second:
            self._advance(second)

    def counted(self, seconds: int, *, slow: bool) -> tuple[int, int]:
        """Calls and bad ones of the last `seconds`: timed and slow ones, if that is the matter."""
        calls, bad = (self.timed, self.slow) if slow else (self.calls, self.bad)
        slots = [(self.second - age) & _MASK for age in range(seconds)]
        return sum([calls[slot] for slot in slots]), sum([bad[slot] for slot in slots])

    def subtract(self, part: Window) -> None:
        """Forget what was noted in `part` as well; what came in a row is not known any more."""
        for column, less in zip(self._columns(), part._columns(), strict=True):
            column[:] = [max(0, a - b) for a, b in zip(column, less, strict=True)]
        self.failures_in_row = self.unreachable_in_row = 0

    def _columns(self) -> tuple[list[int], ...]:
        return self.calls, self.failures, self.bad, self.timed, self.slow

    def clear(self) -> None:
        """Begin anew; the baseline stays."""
        for column in self._columns():
            column[:] = [0] * SLOTS
        self.failures_in_row = self.unreachable_in_row = 0

    def _note_bad(self, verdict: Verdict, slot: int, now: float) -> None:
        self.calls[slot] += 1
        self.bad[slot] += 1
        self.baseline.failed(now)
        if verdict is _SATURATED:
            self.failures_in_row = self.unreachable_in_row = 0
            return
        self.failures[slot] += 1
        if not self.failures_in_row:
            self.failures_since = now
        self.failures_in_row += 1
        if verdict is not _UNREACHABLE:
            self.unreachable_in_row = 0
            return
        if not self.unreachable_in_row:
            self.unreachable_since = now
        self.unreachable_in_row += 1

    def _advance(self, second: int) -> None:
        for passed in range(max(self.second + 1, second - _MASK), second + 1):
            slot = passed & _MASK
            self.calls[slot] = self.failures[slot] = self.bad[slot] = 0
            self.timed[slot] = self.slow[slot] = 0
        self.second = second

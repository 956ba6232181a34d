"""PURE. One slice's last minute, second by second, and what keeps going wrong in it.

Memory is fixed: a ring for the calls, and one more for each kind of trouble that
was ever met, of which there are a handful. Trouble opens on evidence that chance
and a blip of two seconds do not explain, and ends when so many calls went well
that it would have shown. Instants are monotonic seconds.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from proxy.health.symptom import Kind, Symptom
from proxy.model.bounds import surprise, wilson

SPAN_S = 60
_SLOTS = 64
_MASK = _SLOTS - 1
BLIP_S = 2.0
"""What lasts no longer is not told."""
SURPRISE_MIN = 9.0
"""Chance explains it with at most exp(-this), in each window that is looked at."""
ORDINARY = 0.02
"""A share up to this can't be told from bad luck; slow ones are ordinary up to ten times that."""
_ORDINARY_SLOW = 0.2
BAD_MIN = 3
IN_ROW_MIN = 4
REJECTED_SHARE = 0.5
"""Requests that a partner does not take are somebody's mistake only in mass."""
_Z = 2.576
RECOVERED_S = 10.0
_PROOF = 5.0
"""Good calls times the share that failed: that many failures are missing, so it is over."""
QUIET_S = 600.0
"""Without a call for as long, nothing is known any more."""
_REASONS_MAX = 16
_SUFFIXES = (3, 4, 5, 6, 8, 10, 15, 20, 30, 45, SPAN_S)


class Ring:
    """Counts by second."""

    __slots__ = ("_counts", "_second")

    def __init__(self, second: int) -> None:
        self._counts = array("I", bytes(4 * _SLOTS))
        self._second = second

    def add(self, second: int) -> None:
        """Count one."""
        if second != self._second:
            self.advance(second)
        self._counts[self._second & _MASK] += 1

    def advance(self, second: int) -> None:
        """Let time pass."""
        for gone in range(self._second + 1, min(second, self._second + _SLOTS) + 1):
            self._counts[gone & _MASK] = 0
        self._second = max(self._second, second)

    def newest(self, second: int, seconds: int = SPAN_S) -> list[int]:
        """The last seconds, the newest first."""
        self.advance(second)
        return [self._counts[(second - age) & _MASK] for age in range(seconds)]

    def total(self, second: int, seconds: int = SPAN_S) -> int:
        """All of them together."""
        if seconds != SPAN_S:
            return sum(self.newest(second, seconds))
        self.advance(second)
        beyond = [self._counts[(second - age) & _MASK] for age in range(SPAN_S, _SLOTS)]
        return sum(self._counts) - sum(beyond)


@dataclass(frozen=True, slots=True)
class Found:
    """Trouble that chance does not explain, over the last `seconds`."""

    seconds: int
    bad: int
    calls: int


class Trouble:
    """One kind of failure in one phase of one slice."""

    __slots__ = (
        "_over_at", "bad", "calls", "firsts", "fresh", "good_since", "in_row", "kind", "last_at",
        "open", "phase", "reasons", "ring", "row_since", "share", "since",
    )  # fmt: skip

    def __init__(self, phase: str, kind: Kind, now: float) -> None:
        self.phase = phase
        self.kind = kind
        self.ring = Ring(int(now))
        self.firsts = array("d", bytes(8 * _SLOTS))
        """When the first of each second was."""
        self.last_at = float("-inf")
        self.in_row = 0
        """So many, and nothing else in between."""
        self.row_since = now
        self.good_since = 0
        """Calls that went well since the last bad one."""
        self.reasons: dict[tuple[str, str], int] = {}
        """Reason and origin, and how often."""
        self.open = False
        self.since = now
        self.share = 0.0
        self.bad = 0
        self.calls = 0
        """Both since `since`."""
        self._over_at = 0
        """The second at which it was over last; what was before counts no more."""
        self.fresh = False
        """It was met on a new connection, too."""

    def note(self, symptom: Symptom, now: float, *, fresh: bool) -> None:
        """One more."""
        second = int(now)
        if now - self.last_at > SPAN_S and not self.open:
            self.reasons.clear()
            self.fresh = False
        if not self.ring.newest(second, 1)[0]:
            self.firsts[second & _MASK] = now
        self.ring.add(second)
        if self.in_row == 0:
            self.row_since = now
        self.in_row += 1
        self.last_at, self.good_since = now, 0
        self.fresh = self.fresh or fresh
        key = (symptom.reason, symptom.origin)
        if key in self.reasons or len(self.reasons) < _REASONS_MAX:
            self.reasons[key] = self.reasons.get(key, 0) + 1
        if self.open:
            self.bad += 1

    def other(self, *, good: bool) -> None:
        """A call of the slice that did not have it."""
        self.in_row = 0
        if good:
            self.good_since += 1

    @property
    def why(self) -> tuple[str, str]:
        """The reason met most often, and its origin."""
        return max(self.reasons, key=lambda key: self.reasons[key], default=("", ""))

    def look(self, calls: Ring, called_at: float, now: float, *, held: bool) -> None:
        """Open or end it. `held`: a breaker keeps calls away, so that quiet proves nothing."""
        found = self._found(calls, now)
        if self.open:
            self._go_on(found, called_at, now, held=held)
        elif found is not None:
            self._begin(found, now)
            self.share = found.bad / found.calls

    def _go_on(self, found: Found | None, called_at: float, now: float, *, held: bool) -> None:
        if found is not None and now - self.last_at <= BLIP_S:
            self.share = found.bad / found.calls
        proven = self.good_since * self.share >= _PROOF and now - self.last_at > RECOVERED_S
        quiet = now - called_at > QUIET_S
        if (proven or quiet) and not held:
            self.open = False
            self._over_at = int(now)

    def _found(self, calls: Ring, now: float) -> Found | None:
        second = int(now)
        if self.ring.total(second) < BAD_MIN:
            return None
        seconds = max(0, min(SPAN_S, second - self._over_at))
        bad = self.ring.newest(second, seconds)
        found = significant(self.kind, bad, calls.newest(second, seconds))
        if found is None and self._in_a_row():
            return Found(SPAN_S, self.in_row, self.in_row)
        return found

    def _in_a_row(self) -> bool:
        lasted_s = self.last_at - self.row_since
        sure = self.kind in (Kind.FAILED, Kind.SATURATED)
        return sure and self.in_row >= IN_ROW_MIN and lasted_s > BLIP_S

    def _begin(self, found: Found, now: float) -> None:
        """It is open; since the first one of the seconds that stand out."""
        second = int(now)
        bad = self.ring.newest(second)
        oldest = max(age for age in range(found.seconds) if bad[age])
        self.since = min(self.firsts[(second - oldest) & _MASK], now)
        if self._in_a_row():
            self.since = min(self.since, self.row_since)
        self.open = True
        self.bad, self.calls = max(found.bad, self.in_row), max(found.calls, self.in_row)

    def bounds(self) -> tuple[float, float]:
        """Where the share lies, with 99 % certainty."""
        return wilson(self.bad, self.calls, _Z)


def significant(kind: Kind, bad: Sequence[int], calls: Sequence[int]) -> Found | None:
    """The last seconds, newest first: whether some stretch of them is more than chance and a blip.

    Of the stretches that are, the one that chance explains least.
    """
    best, most = None, 0.0
    for seconds in _SUFFIXES:
        count, of = sum(bad[:seconds]), sum(calls[:seconds])
        if count < BAD_MIN:
            continue
        worst = max(range(max(1, seconds - 2)), key=lambda at: sum(bad[at : at + 3]))
        left, left_of = count - sum(bad[worst : worst + 3]), of - sum(calls[worst : worst + 3])
        if not _more_than_chance(kind, count, of) or not _more_than_chance(kind, left, left_of):
            continue
        score = surprise(count, max(of, count), _ordinary(kind))
        if score > most:
            best, most = Found(min(seconds, len(bad)), count, max(of, count)), score
    return best


def _more_than_chance(kind: Kind, bad: int, calls: int) -> bool:
    calls = max(bad, calls)
    if bad < BAD_MIN:
        return False
    if kind is Kind.REJECTED:
        return wilson(bad, calls, _Z)[0] >= REJECTED_SHARE
    return surprise(bad, calls, _ordinary(kind)) >= SURPRISE_MIN


def _ordinary(kind: Kind) -> float:
    if kind is Kind.REJECTED:
        return REJECTED_SHARE
    return _ORDINARY_SLOW if kind is Kind.SLOW else ORDINARY

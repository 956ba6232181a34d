"""PURE. A busy route on which nothing comes in is an alarm, learned from its own hours.

A week has 168 periods of an hour. For each, what is usual: how many calls come, and
the longest pause between two of them. A pause longer than two and a half times that is
silence. A pause counts from the beginning of its period only: a night is no pause of the
morning. What has not been met yet is judged by the same hour of other days and by the
period before, whichever is quieter, four times as patiently, and by nothing at all until
there is one. And twelve calls at least have to be missing, by the rate of the hour and of
quieter ones beside it: few calls leave long pauses by chance, and the first pause of a
morning is as long as the night makes it. Calls that come evenly, whose longest pause is far
below what chance would make it, need no such proof; after two weeks three usual pauses are
enough of one. A period in which silence was found is not learned. Instants are wall time, by
which people have hours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PERIODS = 168
_DAY = 24
FACTOR = 2.5
"""Times the usual longest pause; the longest of an hour is rarely exceeded so far by chance."""
_GUESSED = 4.0
"""Times more for what is guessed: the evening of a first day falls faster than any guess."""
_MET_ONCE = 1.2
"""Times more for what was met once; with it, three times the usual pause."""
_MISSED_MIN = 12.0
"""Calls that chance holds back less than once in a hundred thousand pauses."""
_PAUSES_MAX = 3.0
"""Usual longest pauses, of what was met twice: then it is silence, away from an hour's edges."""
_EVEN = 0.5
"""Of the mean longest pause of as many calls by chance; chance is below it in one hour of sixty."""
_EULER = 0.577
_EDGE = 0.6
"""Of a period: at its beginning the quieter one before is what counts, and less from there on."""
_STEPS = 8
_KEEP = 0.7
"""What a new week leaves of what was usual."""
_WIDEN_SHARE = 0.25
"""The usual longest pause follows a longer one faster than a shorter one."""


@dataclass(slots=True)
class Usual:
    """One period of the week, as it usually is."""

    calls: float = 0.0
    pause_s: float = 0.0
    weeks: int = 0

    @property
    def patience_s(self) -> float:
        """A pause that is longer is silence."""
        factor = FACTOR * _GUESSED if not self.weeks else FACTOR
        return self.pause_s * (factor * _MET_ONCE if self.weeks == 1 else factor)

    def missed_min(self, period_s: float) -> float:
        """So many calls have to be missing besides; none where they come evenly."""
        pause_calls = self.pause_s * self.calls / period_s
        if pause_calls < _EVEN * (math.log(max(1.0, self.calls)) + _EULER):
            return 0.0
        return min(_MISSED_MIN, _PAUSES_MAX * pause_calls) if self.weeks > 1 else _MISSED_MIN

    def learn(self, calls: int, pause_s: float) -> None:
        """One more week of it."""
        self.weeks += 1
        if self.weeks == 1:
            self.calls, self.pause_s = float(calls), pause_s
            return
        keep = _WIDEN_SHARE if pause_s > self.pause_s else _KEEP
        self.calls = self.calls * _KEEP + calls * (1.0 - _KEEP)
        self.pause_s = self.pause_s * keep + pause_s * (1.0 - keep)


@dataclass(slots=True)
class Silence:
    """One route's hours. `calls_min` calls in a period make it busy."""

    period_s: float
    calls_min: int
    usual: dict[int, Usual] = field(default_factory=dict)
    """By period of the week; bounded by their number."""
    _period: int = -1
    """Counted from 1970."""
    _called_at: float = 0.0
    _calls: int = 0
    _pause_s: float = 0.0
    _whole: bool = False
    """It was watched from its beginning."""
    _alarmed: bool = False
    """There was silence in this period."""
    _silent: tuple[float, float] | None = None
    """Since when, and what pause would be usual; until a call comes."""

    def call(self, at: float) -> None:
        """A call came in."""
        self._turn(at)
        self._pause_s = max(self._pause_s, at - self._called_at)
        self._called_at = at
        self._calls += 1
        self._silent = None

    def look(self, at: float) -> tuple[float, float] | None:
        """(since when, usual longest pause) while there is silence."""
        self._turn(at)
        if self._silent is not None:
            self._alarmed = True
            return self._silent
        usual = self.expected(self._period)
        if usual is None or usual.calls < self.calls_min:
            return None
        if at - self._called_at <= usual.patience_s:
            return None
        if self._missed(usual.calls, at) < usual.missed_min(self.period_s):
            return None
        self._alarmed = True
        self._silent = (self._called_at, usual.pause_s)
        return self._silent

    def expected(self, period: int) -> Usual | None:
        """What is usual in a period, or the best guess."""
        known = self.usual.get(period % PERIODS)
        if known is not None:
            return known
        days = [self.usual.get((period - _DAY * day) % PERIODS) for day in range(1, 7)]
        before = self.usual.get((period - 1) % PERIODS)
        guesses = [each for each in (*days, before) if each is not None]
        if before is None or not guesses:
            return None
        return Usual(min(each.calls for each in guesses), max(each.pause_s for each in guesses))

    def _missed(self, calls: float, at: float) -> float:
        """How many calls would have come since the last one, by the quieter of what is near."""
        before, after = (self._quieter(calls, self._period + step) for step in (-1, 1))
        begin = self._called_at / self.period_s - self._period
        width = (at - self._called_at) / self.period_s / _STEPS
        missed = 0.0
        for step in range(_STEPS):
            place = begin + (step + 0.5) * width
            fewer = max(before * (1.0 - place / _EDGE), after * (1.0 - (1.0 - place) / _EDGE), 0.0)
            missed += (calls - fewer) * width
        return missed

    def _quieter(self, calls: float, period: int) -> float:
        """By how many calls; 0 if it is not, or nothing is known of it."""
        usual = self.expected(period)
        return 0.0 if usual is None else max(0.0, calls - usual.calls)

    def learned(self) -> dict[str, Sequence[float]]:
        """What is usual, to be kept over a restart."""
        return {
            str(period): (each.calls, each.pause_s, each.weeks)
            for period, each in self.usual.items()
        }

    def recall(self, learned: Mapping[str, Sequence[float]]) -> None:
        """Go on with what was learned. Raises TypeError or ValueError for what is none of that."""
        for period, (calls, pause_s, weeks) in learned.items():
            self.usual[int(period) % PERIODS] = Usual(float(calls), float(pause_s), int(weeks))

    def _turn(self, at: float) -> None:
        """Into the period of this instant; a jump of the clock begins anew."""
        period = int(at // self.period_s)
        if period == self._period and at >= self._called_at:
            return
        follows = period == self._period + 1
        if self._whole and not self._alarmed and period >= self._period + 1:
            end = (self._period + 1) * self.period_s
            pause_s = max(self._pause_s, end - self._called_at)
            self.usual.setdefault(self._period % PERIODS, Usual()).learn(self._calls, pause_s)
        self._whole = follows
        self._alarmed = False
        self._period = period
        self._called_at = period * self.period_s if follows else at
        self._calls, self._pause_s = 0, 0.0

"""Encodes in turns: a little, then the calls, then a little more.

On the calls' own thread on purpose. One piece takes less than half a millisecond,
and a call waits for one at most; a thread of its own would hold the interpreter
for as long as the machine lets it stand.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

_TURN_S = 0.005
_TURNS_PER_S = 200
Later = Callable[[float, Callable[[], None]], object]
"""The loop's `call_later`."""
Work = Callable[[], None]


class Turns:
    """Does one piece of work each turn, or as many as `per_s` pieces in a second need."""

    def __init__(self, later: Later, per_s: float) -> None:
        self._later = later
        self._per_turn = max(1, round(per_s / _TURNS_PER_S))
        self._works: deque[Work] = deque()
        self._long: Iterator[None] | None = None
        self._planned = False

    def __len__(self) -> int:
        return len(self._works)

    def add(self, work: Work) -> None:
        """Do it soon."""
        self._works.append(work)
        self._plan()

    def begin(self, long: Iterator[None]) -> None:
        """Go through it step by step, in place of one that is under way."""
        self._long = long
        self._plan()

    def finish(self) -> None:
        """Do everything now: nobody waits for anything else any more."""
        while self._works:
            self._works.popleft()()
        for _ in self._long or ():
            pass
        self._long = None

    def _plan(self) -> None:
        if not self._planned:
            self._planned = True
            self._later(_TURN_S, self._turn)

    def _turn(self) -> None:
        self._planned = False
        for _ in range(min(self._per_turn, len(self._works))):
            self._works.popleft()()
        if self._long is not None and next(self._long, self) is self:
            self._long = None
        if self._works or self._long is not None:
            self._plan()

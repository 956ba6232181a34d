"""An event loop on virtual time: no test sleeps, and every run is the same again.

The loop never waits. When it has nothing left to do at this instant it stops, and
says when its next timer is due; whoever drives it moves the clock there. Several
loops may share one clock: each is one process, and one that is not driven is frozen.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

from tests.support.manual_clock import ManualClock

NEVER = float("inf")
PASS_S = 1e-8
"""A pass takes time: else a wait that rounding made too small to matter would never end."""


class _Idle(selectors.SelectSelector):
    """Is asked how long to wait, and tells instead of waiting."""

    def __init__(self, idle: Callable[[float | None], None]) -> None:
        super().__init__()
        self._idle = idle

    def select(self, timeout: float | None = None) -> list[Any]:
        self._idle(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A real loop over a clock of ours; `errors` are what nobody caught."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._due_at = NEVER
        self.errors: list[str] = []
        super().__init__(_Idle(self._rest))
        self.set_exception_handler(self._note)

    def _note(self, _: object, context: dict[str, Any]) -> None:
        self.errors.append(f"{context['message']}: {context.get('exception')!r}")

    def _rest(self, timeout: float | None) -> None:
        if timeout == 0:
            self._clock.advance(PASS_S)
            return
        self._due_at = NEVER if timeout is None else self.time() + timeout
        self.stop()

    def time(self) -> float:
        """Virtual seconds."""
        return self._clock.now()

    def settle(self) -> float:
        """Run until there is nothing left to do now; when the next timer is due."""
        self.run_forever()
        return self._due_at

    def tick(self) -> None:
        """One pass; where nothing can happen in it, only its time passes."""
        base: Any = self
        if not base._ready and (not base._scheduled or base._scheduled[0].when() > self.time()):
            self._clock.advance(PASS_S)
            return
        self.call_soon(self.stop)
        self.run_forever()

    def end(self) -> None:
        """Cancel what is left, and close."""
        for task in asyncio.all_tasks(self):
            task.cancel()
        self.settle()
        self.close()

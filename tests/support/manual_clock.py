"""Virtual time: a clock that moves when a test, or a sleep on it, says so."""

from __future__ import annotations

START_S = 1000.0
WALL_START_S = 1_800_000_000.0


class ManualClock:
    """Stands in for `model.clock.Clock`; `sleep` stands in for `asyncio.sleep`."""

    def __init__(self, start_s: float = START_S) -> None:
        self._elapsed_s = 0.0
        self._start_s = start_s
        self.wall_jump_s = 0.0
        """How far somebody has set the wall clock; the monotonic one never jumps."""
        self.slept: list[float] = []

    def now(self) -> float:
        """Monotonic seconds."""
        return self._start_s + self._elapsed_s

    def wall(self) -> float:
        """Seconds since the Unix epoch."""
        return WALL_START_S + self._elapsed_s + self.wall_jump_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        assert seconds >= 0
        self._elapsed_s += seconds

    async def sleep(self, seconds: float) -> None:
        """Sleep in no time, and remember for how long."""
        self.slept.append(seconds)
        self.advance(seconds)

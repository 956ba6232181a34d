"""How much of our two cores other programs took: figures from a busy machine are no figures."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def programs_s(stat: str, core: int) -> float:
    """Seconds since boot that programs ran on a core or the hypervisor withheld it, by /proc/stat.

    Interrupt time is in it: the kernel does loopback traffic in soft interrupts on top of the
    program that sends, and counts that time as the program's own too, as `ours_s` below sees it.
    """
    for line in stat.splitlines():
        name, *fields = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[:8])
            return (user + nice + system + irq + softirq + steal) / TICKS_PER_S
    raise ValueError(f"/proc/stat has no core {core}")


def own_s() -> float:
    """CPU seconds of this process and of its children that have ended (wrk, the open loop)."""
    return sum(os.times()[:4])


@dataclass(frozen=True, slots=True)
class Watch:
    """One core from a moment on; `ours_s` tells the CPU seconds of our own programs there."""

    core: int
    ours_s: Callable[[], float]
    began_at: float
    programs_before_s: float
    ours_before_s: float

    @classmethod
    def begin(cls, core: int, ours_s: Callable[[], float]) -> Self:
        """Watch from now."""
        return cls(core, ours_s, time.monotonic(), _now_s(core), ours_s())

    def share(self) -> float:
        """Share of the time since then, 0 to 1, that others had the core."""
        elapsed_s = time.monotonic() - self.began_at
        programs = _now_s(self.core) - self.programs_before_s
        others = programs - (self.ours_s() - self.ours_before_s)
        return min(max(others / elapsed_s, 0.0), 1.0)


def _now_s(core: int) -> float:
    return programs_s(Path("/proc/stat").read_text("ascii"), core)

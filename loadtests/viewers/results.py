"""What was measured: windows in pairs, each with its twin. PURE."""

from __future__ import annotations

from dataclasses import dataclass, field

from loadtests.viewers.payload import SLICES

VIEWERS = 10
BEATS_SHARE_MIN = 0.7
"""A page hears a beat a second and a little more; looks take longer on a busy core."""


@dataclass(frozen=True, slots=True)
class Window:
    """Calls of one window: microseconds in all, and without the partner's."""

    took_us: list[int]
    own_us: list[int]
    lag_p99_us: float
    """How late the generator itself was."""


@dataclass(frozen=True, slots=True)
class Audience:
    """What viewers saw while calls were measured; the least of all viewers, and all bytes."""

    viewers: int
    slices: int
    beats: int
    changes: int
    """Rows that were told anew."""
    bytes: int
    seconds: float
    beat_gap_s: float
    """The longest that anybody heard nothing."""
    cpu_s: float

    def problems(self) -> list[str]:
        """Why this was no audience of a live page."""
        found = []
        if self.viewers < VIEWERS:
            found.append(f"{self.viewers} viewers at the end of {VIEWERS}")
        if self.slices < SLICES:
            found.append(f"a viewer has {self.slices} slices of {SLICES}")
        if self.beats < BEATS_SHARE_MIN * self.seconds - 1:
            found.append(f"a viewer heard {self.beats} beats in {self.seconds:.0f} s")
        if self.changes < SLICES:
            found.append(f"a viewer was told of {self.changes} changes only")
        return found


@dataclass(slots=True)
class Visit:
    """One window of one arm."""

    pair: int
    watched: bool
    window: Window | None = None
    audience: Audience | None = None
    sidecar_cpu_s: float = 0.0
    seconds: float = 0.0
    foreign_share: float = 0.0
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Played:
    """Everything that was measured."""

    visits: list[Visit] = field(default_factory=list)
    version: str = ""

    def arm(self, *, watched: bool) -> list[Visit]:
        """The visits of one arm that have figures."""
        return [each for each in self.visits if each.watched is watched and each.window]

    def pairs(self) -> list[tuple[Window, Window]]:
        """(alone, watched) of each pair that has both."""
        alone = {each.pair: each.window for each in self.arm(watched=False)}
        found = []
        for each in self.arm(watched=True):
            twin = alone.get(each.pair)
            if twin is not None and each.window is not None:
                found.append((twin, each.window))
        return found

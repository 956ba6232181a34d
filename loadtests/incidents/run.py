"""What a replay is given, and what it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from loadtests.incidents.arms import ArmRow
from loadtests.incidents.journals import STORE_DEFAULT, STORES
from loadtests.incidents.progress import Progress
from loadtests.incidents.result import Bar, Figure

BOTH = tuple(STORES)
"""For replays that hold on every journal there is."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one replay.

    `factor` scales every interval of the replay and of its bars, never a rate
    or a share; 1.0 is the long form.
    """

    quick: bool
    factor: float
    directory: Path
    progress: Progress
    store: str = STORE_DEFAULT
    """Which journal the sidecar keeps, by its name in `journals.STORES`."""
    kills: int | None = None
    """How often INC-15 kills the sidecar; unset: as its form says."""

    def scaled(self, seconds: float) -> float:
        """`seconds` as this run means them."""
        return seconds * self.factor

    def duration(self, seconds: float) -> str:
        """`seconds`, scaled, as the configuration file writes them."""
        return f"{round(self.scaled(seconds) * 1000)}ms"


@dataclass(slots=True)
class Measured:
    """What a replay measured; `summary` stands in its last line."""

    bars: list[Bar] = field(default_factory=list)
    figures: dict[str, dict[str, Figure]] = field(default_factory=dict)
    summary: str = ""
    driver_lag_ms: float = 0.0
    """The driver's own lag, p99 of the worst part; see `figures.driver_lag_ms`."""
    arms: list[ArmRow] = field(default_factory=list)
    """The same story for the sidecar and its peers."""
    refused: str = ""
    """A part that could not be played here, with the remedy: then the replay is no pass."""


@dataclass(frozen=True, slots=True)
class Replay:
    """An incident that can be replayed; `factor_quick` is its factor in the quick form."""

    id: str
    title: str
    factor_quick: float
    play: Callable[[Run], Awaitable[Measured]]
    stores: tuple[str, ...] = (STORE_DEFAULT,)
    """The journals that it is played on, one after the other."""
    obstacle: Callable[[], str | None] = lambda: None
    """What keeps it from being played here, with the remedy; a refusal is no pass."""

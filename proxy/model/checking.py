"""How an upstream is checked without a payment, and how a standby is kept proven."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckKind(StrEnum):
    """What a check does."""

    AUTO = "auto"
    """Connect, where a route has another candidate beside this one."""
    CONNECT = "connect"
    """Name, TCP and TLS; nothing is asked."""
    REQUEST = "request"
    """A request that moves no money."""
    OFF = "off"


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What is asked, and which statuses pass."""

    method: bytes
    target: bytes
    operation: str
    body: bytes
    expected: frozenset[int]
    """Exact statuses, or classes (2 for 2xx)."""

    def passes(self, status: int) -> bool:
        """Whether an answer with this status passes."""
        return status in self.expected or status // 100 in self.expected


@dataclass(frozen=True, slots=True)
class CheckLimits:
    """The checks of one upstream."""

    kind: CheckKind = CheckKind.AUTO
    interval_s: float = 20.0
    """Between checks; a call that was answered meanwhile stands for one."""
    timeout_s: float = 5.0
    fall: int = 3
    """Checks in a row that fail until the upstream is called failing."""
    rise: int = 2
    """Checks in a row that pass until it is called well again."""
    proven_within_s: float = 300.0
    """A candidate that has shown nothing for longer is not proven."""
    request: CheckRequest | None = None


CHECKS = CheckLimits()
"""Unless the configuration says otherwise."""


@dataclass(frozen=True, slots=True)
class Standby:
    """The share of a route's calls that goes to its standbys first."""

    share: float = 0.01
    every_s: float = 600.0
    """So often at least one call goes to each standby, however few there are."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check came to."""

    passed: bool | None
    """None: it says nothing about the partner, the reason is on our side."""
    phase: str = ""
    reason: str = ""
    origin: str = ""

    @property
    def why(self) -> str:
        """In words."""
        return " ".join(part for part in (self.phase, self.reason) if part) or "passed"

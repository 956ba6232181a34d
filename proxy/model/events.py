"""What layers tell the rest of the house. Layers emit; `app` decides who listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proxy.model.call import Attempt, Call
from proxy.model.outcome import Outcome
from proxy.model.standing import Override


@dataclass(slots=True)
class CallEnded:
    """A call ended, in whatever way; `ended_at` is monotonic seconds."""

    call: Call
    outcome: Outcome
    ended_at: float


@dataclass(slots=True)
class AttemptEnded:
    """An attempt ended for its caller."""

    call: Call
    attempt: Attempt


@dataclass(slots=True)
class LateEnding:
    """An attempt ended after its caller was answered in doubt: `attempt.late` says how."""

    call: Call
    attempt: Attempt


@dataclass(slots=True)
class BadRequest:
    """The inbound edge refused bytes that were no acceptable request."""

    reason: str
    status: int


@dataclass(slots=True)
class Bug:
    """Our own code failed. `where` is a file and line, never a message, which may carry data."""

    kind: str
    where: str


@dataclass(slots=True)
class SettleGaveUp:
    """A call in doubt stays so until somebody looks into it: its partner has no answer for us."""

    partner: str
    upstream: str
    operation: str
    row: str
    """The id of its row in the journal, as `tidegate journal show` takes it."""
    asked: int


@dataclass(slots=True)
class NameAsked:
    """A name server was asked for a record type, or did not answer in time."""

    kind: str
    result: str
    duration_s: float


@dataclass(slots=True)
class OverrideChanged:
    """An operator's word about a route or an upstream was set, kept over a restart (restored),
    released, or has expired.
    """

    change: str
    override: Override
    left_s: float


@dataclass(frozen=True, slots=True)
class BreakerChanged:
    """A breaker changed its state; all of it is of that moment."""

    partner: str
    upstream: str
    compartment: str
    was: str
    state: str
    reason: str
    """What led to it, with its figures."""
    calls: int
    failures: int
    shadow: bool
    """It refuses nothing."""
    next_probe_s: float | None
    """Seconds until a call is let through as a probe; None where none is waited for."""
    part: str = ""
    """The value of a dimension that it is for, such as scheme=visa; empty for all calls."""


@dataclass(frozen=True, slots=True)
class CheckChanged:
    """Checks of an upstream began to fail or to pass, or a standby is proven no more, or again."""

    partner: str
    upstream: str
    change: str
    """failing, passing, unproven or proven."""
    reason: str
    unproven_s: float
    """For how long neither a call nor a check has proven it."""


@dataclass(frozen=True, slots=True)
class IncidentChanged:
    """An incident was opened, changed or closed; times are wall time, all text is ours."""

    change: str
    id: str
    partners: tuple[str, ...]
    upstreams: tuple[str, ...]
    slices: tuple[str, ...]
    phase: str
    reason: str
    origin: str
    confidence: str
    sentence: str
    since: float
    opened_at: float
    ended_at: float | None
    calls_failed: int
    calls_in_doubt: int
    calls_moved: int
    part_of: str = ""
    """The incident that it turned out to be a part of."""


@dataclass(frozen=True, slots=True)
class CollectorChanged:
    """The collector of telemetry fails in another way, or works again: then `trouble` is empty."""

    trouble: str


Event = (
    CallEnded
    | AttemptEnded
    | LateEnding
    | BadRequest
    | Bug
    | SettleGaveUp
    | NameAsked
    | OverrideChanged
    | BreakerChanged
    | CheckChanged
    | IncidentChanged
    | CollectorChanged
)
Emit = Callable[[Event], None]

"""PURE. What asking a circuit gives: a permit or a refusal, and what can be seen of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Any, NamedTuple, Protocol

from proxy.guard.verdicts import Verdict, partner_since
from proxy.model.call import Attempt


class State(StrEnum):
    """The states that people and metrics see."""

    CLOSED = "closed"
    DEGRADED = "degraded"
    """Closed, and worse than it used to be: go elsewhere if there is a better candidate."""
    OPEN = "open"
    HALF_OPEN = "half-open"
    ISOLATED = "isolated"
    """Held open by an operator."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call is not let through, with the figures of that moment."""

    state: State
    code: str
    """From a fixed vocabulary: `open`, `probing`, `ramping`, `isolated`."""
    why: str
    """What led to the state: the finding, or the operator's reason."""
    wait_s: float
    """After which asking again may help."""
    figure: str
    """The figure that decided, in words."""

    @property
    def reason(self) -> str:
        """One sentence for a person."""
        return f"{self.state}: {self.why}; {self.figure}"


@dataclass(frozen=True, slots=True)
class Isolation:
    """An operator's word: no calls until the monotonic instant `until`."""

    reason: str
    until: float

    def refusal(self, now: float) -> Refusal:
        """What a call is told."""
        left_s = self.until - now
        return Refusal(State.ISOLATED, "isolated", self.reason, left_s, f"{left_s:.0f} s are left")


class Ends(Protocol):
    """Who gives permits and takes them back."""

    def ended(self, permit: Permit, verdict: Verdict, took_s: float, now: float) -> None:
        """Take a permit back, once."""


class Beside(Ends, Protocol):
    """Who knows the slices beside a circuit; see family.py."""

    def agrees(self, circuit: Any, found: Any, now: float) -> bool:
        """Whether a finding is the circuit's own, and not another slice's."""

    def counts(self, permit: Permit) -> bool:
        """Whether what becomes of a permit counts here."""

    def overdue(self, permit: Permit, now: float) -> None:
        """A permit has become overdue."""


class Out(dict["Permit", None]):
    """Permits that have not ended and are not overdue, the oldest first."""

    __slots__ = ()

    def overdue(self, limit: float, now: float) -> Iterator[Permit]:
        """Take out those on which the partner has been at work since before `limit`."""
        while self and (oldest := next(iter(self))).begun_at < limit:
            del self[oldest]
            since = oldest.partner_since
            if since >= limit:
                oldest.begun_at = min(since, now)
                self[oldest] = None
            else:
                oldest.overdue = True
                yield oldest


class Permit:
    """Leave to make one attempt. Ends exactly once: whatever comes after the first is ignored.

    So `finally: permit.end(Verdict.NOTHING, 0.0, now)` is right in every case.
    """

    __slots__ = (
        "_attempts", "_circuit", "_made", "begun_at", "era", "forced", "generation", "held", "open",
        "overdue", "overdue_in", "parts", "probe", "would_refuse",
    )  # fmt: skip

    def __init__(
        self, circuit: Ends, generation: int, begun_at: float, *, probe: bool, forced: bool
    ) -> None:
        self._circuit = circuit
        self._attempts: Sequence[Attempt] | None = None
        self._made = 0
        self.generation = generation
        """The era of the circuit that it belongs to; in a later one it says nothing."""
        self.begun_at = begun_at
        """When it was given; later, when a look found that the partner had not begun by then."""
        self.probe = probe
        """It is one of the few that decide whether the circuit closes."""
        self.forced = forced
        """Let through in spite of the circuit, as the last way out."""
        self.open = True
        self.overdue = False
        self.would_refuse: Refusal | None = None
        """In shadow mode: what would have been said."""
        self.parts: tuple[Any, ...] = ()
        """Narrow slices of the call that are well; see family.py, also for what follows."""
        self.held: tuple[Permit, ...] = ()
        """Permits of those that are not."""
        self.overdue_in: tuple[Any, ...] = ()
        """Parts in which it was noted as overdue."""
        self.era = 0

    def watch(self, attempts: Sequence[Attempt]) -> None:
        """The attempt is the next one to come here: what it waits for before is not the partner."""
        self._attempts, self._made = attempts, len(attempts)
        for each in self.held:
            each.watch(attempts)

    @property
    def partner_since(self) -> float:
        """Since when the partner has been at work on it; infinity: not yet."""
        if self._attempts is None:
            return self.begun_at
        return partner_since(self._attempts[-1]) if len(self._attempts) > self._made else inf

    def end(self, verdict: Verdict, took_s: float, now: float) -> None:
        """Give it back with what the attempt says of the partner, NOTHING included."""
        if self.open:
            self.open = False
            self._circuit.ended(self, verdict, took_s, now)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the calls of the last minute, or since the circuit closed, amount to."""

    calls: int
    """With a verdict."""
    failures: int
    saturated: int
    share: float
    """Failures among the calls, with its bounds at 95 % (Wilson)."""
    share_low: float
    share_high: float
    slow: int
    slow_s: float
    """What slow is."""
    p50_s: float | None
    p99_s: float | None
    ordinary_p99_s: float | None
    """The baseline's."""
    ordinary_share: float
    """Up to which failing is not called worse."""


class Glance(NamedTuple):
    """A circuit in a few members; seconds."""

    state: State
    why: str
    p50_s: float | None
    p99_s: float | None
    ordinary_p99_s: float | None
    admitted_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A circuit as it stands, for metrics and tables; instants are monotonic seconds."""

    state: State
    since: float
    why: str
    generation: int
    figures: Figures
    probes: int
    """Out at this moment."""
    admitted_share: float
    next_probe_at: float | None
    """When open: the next call after it is a probe. When isolated: the expiry."""
    shadow: bool
    awaits_check: bool = False
    """The probe has to wait until a check has passed."""

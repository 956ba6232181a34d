"""One slice: a circuit, where it belongs, and what it did to calls."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING

from proxy.guard.circuit import Circuit
from proxy.guard.permit import Permit, Refusal, State
from proxy.model.call import Call
from proxy.model.outcome import Origin, Refused

if TYPE_CHECKING:
    from proxy.guard.family import Family

REASONS = (
    "breaker_open", "breaker_probing", "breaker_ramping", "breaker_isolated", "breaker_throttled",
)  # fmt: skip


class Slice:
    """The circuit of one compartment at one upstream, or of one value of a dimension there."""

    family: Family | None = None
    """The narrow slices beside it; only where a route of its compartment has dimensions."""
    era = 0
    """Of the family's parts, when this one last began anew."""
    generation = 0
    """Of the circuit, when this one last began anew."""

    def __init__(
        self, partner: str, upstream: str, compartment: str, circuit: Circuit, part: str = ""
    ) -> None:
        self.partner = partner
        self.upstream = upstream
        self.compartment = compartment
        self.part = part
        """Such as scheme=visa; empty for all calls of the compartment."""
        self.circuit = circuit
        self.state = State.CLOSED
        """As it was told last."""
        self.changes: dict[str, int] = {}
        """How often it became each state."""
        self.refused = dict.fromkeys(REASONS, 0)
        self.would_refuse = 0
        """Let through in shadow mode alone."""
        self.throttled = 0
        """Let through as the last way out."""

    @property
    def name(self) -> str:
        """In words, such as north-a · authorize · scheme=visa."""
        return " · ".join(each for each in (self.upstream, self.compartment, self.part) if each)

    # -- for a call, the narrow slices with it ------------------------------------------------

    def admit(self, call: Call, now: float) -> Permit | Refusal:
        """A permit, or why there is none; `refuser` says whose word that is."""
        if self.family is None:
            return self.circuit.admit(now)
        return self.family.admit(call, now)

    def admit_anyway(self, call: Call, now: float) -> Permit | Refusal:
        """A permit in spite of the circuits, for the last way out."""
        if self.family is None:
            return self.circuit.admit_anyway(now)
        return self.family.admit_anyway(call, now)

    @property
    def refuser(self) -> Slice:
        """Who refused last, or would have."""
        return self if self.family is None else self.family.refuser

    def refusing(self, call: Call, now: float) -> Slice | None:
        """Who would refuse a call at this moment; nothing changes by asking."""
        if self.circuit.would_refuse(now):
            return self
        if self.family is None:
            return None
        apart = self.family.parts.apart_of(call)
        return next((each for each in apart if each.circuit.would_refuse(now)), None)

    def concerned(self, call: Call) -> tuple[Slice, ...]:
        """All whose state says something to this call."""
        return (self,) if self.family is None else (self, *self.family.parts.apart_of(call))

    def refuse(self, refusal: Refusal, reason: str = "", why: str = "") -> Refused:
        """The outcome of an attempt that is not made."""
        reason = reason or f"breaker_{refusal.code}"
        self.refused[reason] += 1
        part = f", {self.part}," if self.part else ""
        return Refused(
            reason, 503,
            f"The breaker of {self.compartment}{part} at {self.upstream} is "
            f"{refusal.reason}{why}.",
            Origin.PARTNER, retry_after_s=max(1, ceil(refusal.wait_s)),
            partner=self.partner, upstream=self.upstream,
        )  # fmt: skip


Slices = Mapping[tuple[str, str], Slice]
"""By upstream and compartment; none where the breaker is off."""

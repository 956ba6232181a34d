"""How a call or an attempt ended, as a value.

Expected endings never travel as exceptions. There are four kinds, and each
knows its `execution`: what can be *proven* to have happened at the partner.
Retry and failover look at `execution` alone; nobody above the transport looks
at an exception class or a status code to decide whether money may have moved.

    Answered   a complete, well-formed answer; execution by the operation's table
    Refused    declined by the proxy before sending
    Unsent     failed before any byte could leave
    InDoubt    bytes may have left and no complete answer was understood
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from proxy.model.message import Response
from proxy.model.phase import Phase


class Execution(StrEnum):
    """What can be proven to have happened at the partner."""

    NONE = "none"
    DONE = "done"
    UNKNOWN = "unknown"


class Origin(StrEnum):
    """Whose doing an ending is."""

    APPLICATION = "application"
    PROXY = "proxy"
    DNS = "dns"
    NETWORK = "network"
    PARTNER = "partner"


@dataclass(slots=True)
class Answered:
    """The partner answered completely; the answer passes to the application unchanged."""

    partner: str
    upstream: str
    response: Response
    execution: Execution
    reason: str = "answered"
    origin: Origin = Origin.PARTNER
    replayed: bool = False
    """The answer of an earlier call with the same idempotency key."""
    settled_by: str = ""
    """Who said how that call ended, unless its own answer did: inquiry, operator or webhook."""


@dataclass(slots=True)
class Refused:
    """The proxy declined before sending.

    `status` is the HTTP status the application gets; `detail` must be a fixed
    sentence of ours, never bytes of the request. `retry_after_s` is a hint.
    `execution` is NONE unless an earlier run of the same key cannot be ruled out.
    """

    reason: str
    status: int
    detail: str
    origin: Origin = Origin.APPLICATION
    execution: Execution = Execution.NONE
    retry_after_s: int | None = None
    partner: str | None = None
    upstream: str | None = None
    settled_by: str = ""
    """As of an answer."""


@dataclass(slots=True)
class Unsent:
    """Failed before any byte could leave: pool wait, DNS, connect, TLS."""

    partner: str
    upstream: str
    phase: Phase
    reason: str
    origin: Origin
    execution: Execution = Execution.NONE


@dataclass(slots=True)
class InDoubt:
    """Bytes may have left, and there is no answer that could be understood."""

    partner: str
    upstream: str
    phase: Phase
    reason: str
    origin: Origin
    execution: Execution = Execution.UNKNOWN


Outcome = Answered | Refused | Unsent | InDoubt

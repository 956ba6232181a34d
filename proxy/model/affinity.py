"""What belongs to an earlier payment, and how the partner that has it is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from proxy.model.message import Request

FOLLOWING = frozenset(("capture", "refund", "void", "inquire"))
"""Operations that belong to an earlier payment, and stay with it."""
PLACES_MAX = 100
"""Calls by one name that the journal tells; a name of so many is none."""


class Named(StrEnum):
    """Whose name of a payment it is."""

    REFERENCE = "reference"
    """The application's own."""
    PAYMENT = "payment"
    """The partner's."""


class Otherwise(StrEnum):
    """What becomes of a call whose payment nobody knows."""

    REFUSE = "refuse"
    FIRST = "first"
    """It goes to the first candidate's partner, and to no other."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a request names its payment: one of these, the others are empty."""

    pointer: str = ""
    """Into a body that is JSON or a form."""
    header: bytes = b""
    query: str = ""
    path: tuple[str, ...] = ()
    """Segments as the application sends them; an empty one stands for the name."""


@dataclass(frozen=True, slots=True)
class Remember:
    """What the journal keeps of a call, so that later ones find its partner; JSON pointers."""

    group: str
    reference: str = ""
    """Into the request."""
    payment: str = ""
    """Into the answer."""


@dataclass(frozen=True, slots=True)
class Follow:
    """How a call finds the partner of its payment."""

    group: str
    reference: Source | None = None
    payment: Source | None = None
    partners: tuple[tuple[str, str], ...] = ()
    """(how a payment's name begins, whose it is), the longest beginning first."""
    otherwise: Otherwise = Otherwise.REFUSE


@dataclass(frozen=True, slots=True)
class Affinity:
    """A route's part in this; names are those of a tenant."""

    tenant: str = "default"
    tenant_header: bytes | None = None
    remember: Remember | None = None
    follow: Follow | None = None


NO_AFFINITY = Affinity()


def follows(operation: str, affinity: Affinity) -> bool:
    """Whether a route's calls belong to earlier payments."""
    return operation in FOLLOWING or affinity.follow is not None


def tenant_of(request: Request, affinity: Affinity) -> str:
    """Whose names count: the tenant that a header tells, else the route's."""
    header = affinity.tenant_header
    said = None if header is None else request.first(header)
    return affinity.tenant if said is None else said.decode("latin-1")


@dataclass(frozen=True, slots=True)
class Name:
    """A payment's name as the journal looks it up."""

    tenant: str
    group: str
    named: Named
    text: str


Place = tuple[str, str]
"""(partner, upstream) of a call."""
Find = Callable[[Name], Awaitable[Sequence[Place] | None]]
"""Where calls by this name are, PLACES_MAX at most; None if the journal cannot be read."""

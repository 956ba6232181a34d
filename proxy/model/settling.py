"""How a call in doubt is settled: what the configuration says of a partner and an operation."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class SettleMode(StrEnum):
    """Who finds out what became of a call in doubt, and how; see docs/journal.md."""

    RESEND = "resend"
    """The application's retry is repeated under the partner's key, while that one knows it."""
    INQUIRE = "inquire"
    """The partner is asked; nothing is sent again before it has proven absence."""
    INQUIRE_THEN_RESEND = "inquire_then_resend"
    """The partner is asked; what it does not have yet may be repeated under its key."""
    REVERSE = "reverse"
    """What may have been executed is undone, by the application's own reference."""
    WAIT = "wait"
    """Nothing by itself: a webhook's news or an operator."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """How a partner is asked what became of a call: a GET, and how to read its answer.

    The partner knows the call by the application's reference. An answer in
    which `found` leads to something is about the call; `none_values` there say
    that it was not executed, any other value that it was. A status in
    `absent_statuses`, or nothing at `found`, says that the partner has no such
    call, and is believed once `absent_after_s` have passed since the sending.
    """

    reference: str
    """JSON pointer into the application's request."""
    target: str
    """Path and query at the partner, with `{reference}` in it."""
    found: str
    """JSON pointer into the answer."""
    none_values: frozenset[str]
    absent_statuses: frozenset[int]
    absent_after_s: float


@dataclass(frozen=True, slots=True)
class Reversal:
    """How a call in doubt is undone by the application's reference.

    A status in `done_statuses` says that it is undone, one in
    `nothing_statuses` that the partner has no such call, which is believed once
    `absent_after_s` have passed.
    """

    reference: str
    """JSON pointer into the application's request."""
    method: bytes
    target: str
    body: str | None
    """JSON; `{reference}` stands in target, body or both."""
    done_statuses: frozenset[int]
    nothing_statuses: frozenset[int]
    after_s: float
    """How long a late answer is waited for before anything is undone."""
    absent_after_s: float
    key_header: bytes | None = None
    """Where the partner takes its own idempotency keys, if it does."""
    key_length_max: int = 64


@dataclass(frozen=True, slots=True)
class SettleRule:
    """What the sidecar does by itself about a call in doubt; neither of both is nothing."""

    inquiry: Inquiry | None = None
    reversal: Reversal | None = None
    resend_when_absent: bool = False
    """Absence that is not yet believed allows a repetition under the partner's key."""

    @property
    def reference(self) -> str | None:
        """JSON pointer to what the partner is asked by."""
        asked = self.reversal or self.inquiry
        return None if asked is None else asked.reference


NO_RULE = SettleRule()


@dataclass(frozen=True, slots=True)
class OAuth2:
    """Client credentials (RFC 6749 section 4.4), and where they become a token."""

    upstream: str
    target: bytes
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    scope: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """A request of our own to a partner."""

    method: bytes
    target: bytes
    operation: str
    """inquire, or void: whose status table counts."""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    about: bytes = field(default=b"", compare=False)
    """The journal's row that it is about, for whoever follows its trace."""

"""What travels through the stack: the call, and a record of each attempt made for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.model.message import Failure, Request, Response
from proxy.model.outcome import Outcome, Refused
from proxy.model.route import Candidate, KeyFrom, Route

SAFE_METHODS = frozenset((b"GET", b"HEAD", b"OPTIONS"))
"""Nothing is executed by them, so their keys mean nothing."""


@dataclass(slots=True)
class Progress:
    """How far an attempt got; instants are monotonic seconds, 0.0 means not reached.

    The transport writes them as it goes, so that whoever reads the record, at
    any moment, sees exactly what has happened.
    """

    queued_at: float = 0.0
    """The pool had a connection, or room to open one."""
    resolved_at: float = 0.0
    connected_at: float = 0.0
    secured_at: float = 0.0
    sent_at: float = 0.0
    """write() was called: from here on bytes may have left."""
    first_byte_at: float = 0.0
    reused: bool = False


@dataclass(slots=True, kw_only=True)
class Attempt(Progress):
    """One try at one upstream, numbered from 1 within its call."""

    number: int
    candidate: Candidate
    begun_at: float
    span_id: bytes = b""
    """What the partner was told as its parent: 16 hexadecimal digits."""
    ended_at: float = 0.0
    outcome: Outcome | None = None
    late: Response | Failure | None = None
    """What came after the caller had been answered."""
    late_outcome: Outcome | None = None


@dataclass(slots=True)
class Ticket:
    """A call's hold on an idempotency key, as long as `token` is the newest."""

    row_id: bytes
    token: int
    attempt: int
    """Attempts made under this key so far, by this call and by those before it."""
    partner_key: str
    """What the partner is to know the request by."""
    resend: bool
    """An earlier sending under this key is in doubt, and this call repeats it."""
    only_upstream: str | None
    """Where alone the repetition may go, by whatever way out."""
    conclusive: frozenset[int]
    """See OwnKeys."""
    fenced: bool = False
    """The journal may say that something was about to be sent."""
    concluded: bool = False
    """How the call ended has been given to the journal."""
    fenced_for: str | None = None
    """The upstream that the first attempt was fenced for together with the claim."""
    send_by: float = float("inf")
    """Monotonic: the journal says that after this instant the attempt does not begin to send."""


@dataclass(slots=True)
class Call:
    """One inbound request and everything done for it."""

    request: Request
    id: str
    arrived_at: float
    said: dict[bytes, bytes]
    """What the application told us, not the partner: `tidegate-*` and browser headers, by key."""
    deadline_at: float = 0.0
    route: Route | None = None
    candidates: tuple[Candidate, ...] = ()
    """Where a new call may go, in order; none: nowhere, and only what was sent is settled."""
    nowhere: Refused | None = None
    """Why it may go nowhere, where that is not an operator's word."""
    why: str = ""
    """Why its candidates are these, where they are not simply the route's."""
    trace_id: bytes = b""
    span_id: bytes = b""
    trace_flags: bytes = b"01"
    attempts: list[Attempt] = field(default_factory=list)
    ticket: Ticket | None = None
    dimensions: tuple[str, ...] = ()
    """Its values of the route's dimensions, in that order; never a card number."""
    about: bytes = b""
    """The journal's row that it repeats without being sent, or that it asks a partner about."""

    @property
    def sent(self) -> bool:
        """Whether any attempt may have left."""
        return any(attempt.sent_at for attempt in self.attempts)

    @property
    def may_be_repeated(self) -> bool:
        """Whether it may be a repetition of a call that was sent: it has a key, and the journal has
        not said yet that nothing was executed under it.
        """
        if self.ticket is not None:
            return self.ticket.resend
        rule = None if self.route is None else self.route.idempotency
        if rule is None or self.request.method in SAFE_METHODS:
            return False
        return rule.key_from is KeyFrom.FIELDS or self.request.first(rule.header) is not None

"""What the configuration means, as plain values: built once at start, read on every call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from proxy.model.affinity import NO_AFFINITY, Affinity, follows
from proxy.model.breaker import BREAKER, BreakerLimits
from proxy.model.bulkhead import LIMITS, BestEffort, BulkheadLimits, Priority
from proxy.model.checking import CHECKS, CheckLimits, Standby
from proxy.model.dimension import Dimension
from proxy.model.egress import DIRECT, Egress
from proxy.model.keyed import LENGTH_MAX, Keyed, keyed
from proxy.model.message import Header
from proxy.model.ordering import LISTED, Ordering
from proxy.model.outcome import Execution
from proxy.model.settling import NO_RULE, OAuth2, SettleRule


class Money(StrEnum):
    """Whether an operation moves money, and so whether an unknown forbids another try."""

    YES = "yes"
    NO = "no"
    BY_METHOD = "by_method"
    """GET and HEAD do not, everything else does."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for each phase of one attempt; each smaller of itself and the deadline."""

    queue_s: float
    resolve_s: float
    connect_s: float
    tls_s: float
    send_s: float
    first_byte_s: float
    body_s: float


@dataclass(frozen=True, slots=True)
class HeaderRules:
    """Headers to put in place of, and to take from, those of the application; keys lower-case."""

    put: tuple[Header, ...] = field(default=(), repr=False)
    """Credentials among them, so they stay out of every repr."""
    remove: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Bounds of one upstream's connections; see docs/configuration.md for each default's reason."""

    connections_max: int
    idle_max: int
    idle_age_max_s: float
    age_max_s: float
    waiters_max: int
    reuse: bool
    prewarm: int
    lingering_max: int
    linger_s: float
    header_bytes_max: int
    body_bytes_max: int


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where an upstream's trust and our own certificate come from; None means the system's."""

    ca_file: str | None = None
    client_certificate_file: str | None = None
    client_key_file: str | None = None


@dataclass(frozen=True, slots=True)
class OperationRule:
    """What a partner's answers to one operation prove.

    `statuses` has statuses and classes (4 for 4xx); one named exactly wins over its class.
    """

    money: Money
    statuses: Mapping[int, Execution]


class KeyFrom(StrEnum):
    """Where the idempotency key of a route's calls comes from."""

    OPTIONAL = "optional"
    """The header; calls without it are not journalled."""
    REQUIRED = "required"
    """The header; calls without it are refused."""
    FIELDS = "fields"
    """The header if it is there, else made from fields of the body."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """How calls of a route are known again; the scope of a key is tenant, group, operation."""

    key_from: KeyFrom
    header: bytes
    """In lower case."""
    length_max: int
    tenant: str
    tenant_header: bytes | None
    group: str
    fields: tuple[str, ...]
    """JSON pointers that a key is made from."""
    volatile: tuple[str, ...]
    """JSON pointers that may differ between two tries of one payment."""
    wait_s: float
    """How long a second call waits for the first one's answer."""


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """The idempotency keys of a partner's own, by which it knows a request again."""

    header: bytes | None = None
    """As it is spelled; None where the partner has none."""
    length_max: int = LENGTH_MAX
    resend_s: float = 0.0
    """How long after the first sending a repetition is safe: the partner's window less a margin;
    0.0 where calls in doubt are settled in another way."""
    conclusive: frozenset[int] = frozenset()
    """Statuses from 400 up that an answer to a repetition tells of the first sending."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What questions of our own to a partner carry."""

    headers: HeaderRules
    oauth2: OAuth2 | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """One reachable base URL of a partner."""

    name: str
    partner: str
    tls: bool
    host: str
    port: int
    authority: bytes
    """The Host header: the host, with the port unless it is the scheme's own."""
    server_name: str
    """The name that the certificate must carry."""
    base_path: bytes
    addresses: tuple[str, ...]
    """Where to connect without asking; none: name servers are asked for `resolve_as`."""
    resolve_as: str
    allow_private: bool
    headers: HeaderRules
    tls_files: TlsFiles
    timeouts: Timeouts
    pool: PoolLimits
    operations: Mapping[str, OperationRule]
    bulkhead: BulkheadLimits = LIMITS
    breaker: BreakerLimits = BREAKER
    """Of each operation."""
    checks: CheckLimits = CHECKS
    egress: Egress = DIRECT


@dataclass(frozen=True, slots=True)
class Candidate:
    """An upstream in a route's order, with the timeouts and headers in force there."""

    upstream: Upstream
    timeouts: Timeouts
    headers: HeaderRules
    rule: OperationRule
    own_keys: OwnKeys = OwnKeys()
    settle: SettleRule = NO_RULE
    """What becomes of calls in doubt here."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Attempts at one candidate, and the wait between them (full jitter)."""

    attempts_max: int
    backoff_base_s: float
    backoff_max_s: float


@dataclass(frozen=True, slots=True)
class Route:
    """A rule that matches calls to candidates; no hosts or methods: any that is accepted."""

    name: str
    hosts: frozenset[bytes]
    path_prefix: bytes
    methods: frozenset[bytes]
    replace_prefix: bytes | None
    """What stands in place of the matched prefix at the partner; None keeps it."""
    operation: str
    candidates: tuple[Candidate, ...]
    deadline_s: float
    retry: Retry
    allow_eof_body: bool = False
    idempotency: Idempotency | None = None
    priority: Priority = Priority.PAYMENT
    best_effort: BestEffort | None = None
    affinity: Affinity = NO_AFFINITY
    ordering: Ordering = LISTED
    dimensions: tuple[str, ...] = ()
    """What its calls are told apart by, such as ("scheme",); `sources` says where it is read."""
    sources: tuple[Dimension, ...] = ()
    standby: Standby | None = None
    line: int = field(default=0, compare=False)
    """Where in the file it stands, for `tidegate explain`."""
    compartment: str = field(init=False, repr=False, compare=False)
    """Whose places at an upstream its attempts take: its operation's, or its own."""
    keyed: Keyed = field(init=False, repr=False, compare=False)
    follows: bool = field(init=False, repr=False, compare=False)
    """Its calls belong to earlier payments."""

    def __post_init__(self) -> None:
        """What every keyed call would find out anew."""
        object.__setattr__(self, "keyed", keyed(self.candidates))
        object.__setattr__(self, "follows", follows(self.operation, self.affinity))
        own = f"best_effort/{self.name}"
        object.__setattr__(self, "compartment", own if self.best_effort else self.operation)

"""Partners and their upstreams: where calls go, with which credentials and limits."""

from __future__ import annotations

from typing import Annotated

from proxy.settings.base import Model, key, required
from proxy.settings.breaker import Breaker
from proxy.settings.bulkhead import Bulkhead
from proxy.settings.egress import Egress
from proxy.settings.journal import Inquiry, OwnKeys, Reversal, SettleWord
from proxy.settings.kinds import (
    BaseUrl,
    ExecutionWord,
    File,
    HeaderName,
    HeaderValue,
    Host,
    Ip,
    MoneyWord,
    Name,
    OperationKey,
    Pointer,
    ProfileRef,
    StatusKey,
    Text,
    Token,
    UpstreamName,
    UrlPath,
)
from proxy.settings.probing import Checks
from proxy.settings.scalars import duration, flag, size, whole

PhaseTimeout = Annotated[float, duration("1ms", "10m")]


class Headers(Model):
    """Headers put in place of, and taken from, those of the application."""

    put: dict[HeaderName, HeaderValue] = key(
        {}, "headers to send, in place of the application's", "set"
    )
    remove: tuple[HeaderName, ...] = key((), "headers of the application not to send")


class OAuth2(Model):
    """Client credentials (RFC 6749 section 4.4); the token is fetched when it is needed."""

    upstream: UpstreamName = required("the partner's upstream that gives tokens", "partner-a")
    target: UrlPath = required("path of its token endpoint", "/oauth2/token")
    client_id: Token = required("our name there", "client")
    client_secret: Token = required("our secret there, by reference", "secret")
    scope: Text | None = key(None, "what the token is for")


class Credentials(Model):
    """What inquiries and reversals carry; {} where the partner asks for nothing."""

    headers: Headers = key({}, "headers to set and to remove, applied after the upstream's")
    oauth2: OAuth2 | None = key(None, "a token in the Authorization header")


class Tls(Model):
    """Whom an upstream's certificate must come from, and ours."""

    ca_file: File | None = key(None, "PEM bundle in place of the system's")
    client_certificate_file: File | None = key(None, "our certificate chain, PEM")
    client_key_file: File | None = key(None, "its private key, PEM")
    server_name: Host | None = key(None, "name that the certificate must carry")


class Timeouts(Model):
    """One attempt's phases; each ends at the call's deadline if that comes first."""

    queue_s: PhaseTimeout = key("1s", "wait for a connection's turn", "queue")
    resolve_s: PhaseTimeout = key("5s", "name to addresses", "resolve")
    connect_s: PhaseTimeout = key("4s", "TCP connection", "connect")
    tls_s: PhaseTimeout = key("4s", "TLS handshake", "tls")
    send_s: PhaseTimeout = key("10s", "request handed to the socket", "send")
    first_byte_s: PhaseTimeout = key("30s", "wait for an answer", "first_byte")
    body_s: PhaseTimeout = key("10s", "first byte to whole answer", "body")


class Pool(Model):
    """Bounds of one upstream's connections."""

    connections_max: Annotated[int, whole(1, 10_000)] = key(256, "open connections, busy and idle")
    idle_max: Annotated[int, whole(1, 10_000)] = key(
        64, "idle connections kept; never more than connections_max"
    )
    idle_age_max_s: Annotated[float, duration("1ms", "1h")] = key(
        "15s", "how long a connection may stay idle", "idle_age_max"
    )
    age_max_s: Annotated[float, duration("1ms", "24h")] = key(
        "10m", "how long a connection is used at all", "age_max"
    )
    waiters_max: Annotated[int, whole(1, 10_000)] = key(64, "calls that may wait for a connection")
    reuse: Annotated[bool, flag()] = key(True, "false: a fresh connection per call")
    prewarm: Annotated[int, whole(0, 1000)] = key(0, "idle connections held open ahead of calls")
    lingering_max: Annotated[int, whole(1, 10_000)] = key(64, "attempts that outlive their callers")
    linger_s: Annotated[float, duration("1ms", "10m")] = key(
        "10s", "how long such an attempt waits for its answer", "linger"
    )
    response_header_bytes_max: Annotated[int, size("256B", "1MiB")] = key(
        "32KiB", "header block of an answer"
    )
    response_body_bytes_max: Annotated[int, size("1B", "64MiB")] = key("4MiB", "body of an answer")


class OperationOverrides(Model):
    """What differs from the defaults of an operation at this partner."""

    money: MoneyWord | None = key(None, "whether it moves money; by_method: unless GET or HEAD")
    execution: dict[StatusKey, ExecutionWord] = key(
        {}, "what an answer's status proves to have happened"
    )


class Upstream(Model):
    """One reachable base URL of a partner."""

    url: BaseUrl = required("https://host[:port][/base]", "https://api.example.com")
    addresses: tuple[Ip, ...] = key((), "connect to these IPs, without DNS")
    resolve_as: Host | None = key(None, "name to ask name servers for, in place of the URL's")
    allow_private: Annotated[bool, flag()] = key(
        False, "connect to loopback, private and link-local addresses that name servers say"
    )
    allow_cleartext: Annotated[bool, flag()] = key(
        False, "accept http beyond loopback: card data unencrypted"
    )
    egress: Egress = key({}, "how connections leave this machine")
    headers: Headers = key({}, "headers to set and to remove")
    tls: Tls | None = key(None, "trust and client certificate")
    timeouts: Timeouts = key({}, "limits of one attempt's phases")
    pool: Pool = key({}, "bounds of the connections")
    bulkhead: Bulkhead = key({}, "bounds of the attempts at work, for each operation")
    breaker: Breaker = key({}, "when it is not asked, for each operation")
    checks: Checks = key({}, "how it is checked without a payment")


class Facts(Model):
    """How a payment provider behaves: what a profile states, and a configuration may."""

    operations: dict[OperationKey, OperationOverrides] = key(
        {}, "what differs from the defaults, per operation"
    )
    idempotency: OwnKeys | None = key(None, "its own idempotency keys, if it has any")
    inquiries: dict[OperationKey, Inquiry] = key(
        {}, "how to ask what became of a call in doubt, per operation"
    )
    volatile: tuple[Pointer, ...] = key(
        (), "JSON pointers that may differ between two tries, on routes that name none"
    )
    reversals: dict[OperationKey, Reversal] = key({}, "how to undo a call in doubt, per operation")
    settle: dict[OperationKey, SettleWord] = key(
        {}, "how a call in doubt is settled, per operation"
    )


class Partner(Facts):
    """A payment provider as a business party."""

    profile: ProfileRef | None = key(
        None, "a shipped profile's name, or the path of one; what stands here wins over it"
    )
    credentials: Credentials | None = key(None, "what inquiries and reversals carry")
    upstreams: dict[Name, Upstream] = required("reachable base URLs by name", {})

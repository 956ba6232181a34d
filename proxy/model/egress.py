"""The way out to an upstream: from which address of ours, and through which forward proxy."""

from __future__ import annotations

from dataclasses import dataclass, field

FORWARD_PROXY = "proxy_"
"""What every reason begins with that speaks of a forward proxy, and so of our side of the way."""


@dataclass(frozen=True, slots=True)
class ForwardProxy:
    """A proxy of our own network that opens tunnels (CONNECT, RFC 9110 section 9.3.6)."""

    host: str
    port: int
    tls: bool = False
    """Whether the proxy itself is spoken to over TLS."""
    ca_file: str | None = None
    """Whom its certificate must come from; None means the system's bundle."""
    authorization: bytes | None = field(default=None, repr=False)
    """The value of Proxy-Authorization."""


@dataclass(frozen=True, slots=True)
class Egress:
    """How connections to an upstream leave this machine."""

    source_addresses: tuple[str, ...] = ()
    """One of each family at most; none: the kernel chooses."""
    proxy: ForwardProxy | None = None


DIRECT = Egress()
"""From whatever address the kernel chooses, without a proxy."""

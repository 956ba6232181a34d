"""Opening a connection, phase by phase: resolve, connect, tls.

Each phase has its own timeout and its own failure, and none of them can have
sent a byte of the request: whatever happens here is unsent.
"""

from __future__ import annotations

import abc
import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from proxy.http1 import race
from proxy.model.call import Progress
from proxy.model.message import Failure
from proxy.model.phase import Phase
from proxy.model.route import Timeouts

P = TypeVar("P", bound="Securable")
Address = race.Address
Tell = race.Tell
Resolve = Callable[[str, float], Awaitable[list[Address] | str] | list[Address] | str]
"""(name, timeout in seconds) -> addresses in order of preference, or the reason of failure.

What is given directly is used at once; what has to be awaited has so much time.
"""

_VERIFY_REASONS = {
    9: "certificate_not_yet_valid",
    10: "certificate_expired",
    18: "certificate_unknown_ca",
    19: "certificate_unknown_ca",
    20: "certificate_unknown_ca",
    21: "certificate_unknown_ca",
    23: "certificate_revoked",
    62: "certificate_hostname",
    64: "certificate_hostname",
}
"""OpenSSL's X509_V_ERR codes (openssl x509_vfy.h)."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect. `tls` None is cleartext; a certificate must carry `server_name`."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    server_name: str


class Securable(asyncio.Protocol, abc.ABC):
    """A protocol that can stand on TLS, and is told what that stands on."""

    @abc.abstractmethod
    def secured(self, transport: asyncio.Transport, below: asyncio.Transport) -> None:
        """A TLS connection stands: `transport` encrypts, `below` is the TCP connection."""


def tls_reason(error: BaseException) -> str:
    """A word of ours for a failed handshake, telling apart whose certificate is wrong and how."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY_REASONS.get(error.verify_code, "certificate_invalid")
    if isinstance(error, ssl.SSLError):
        reason = (getattr(error, "reason", None) or "").upper()  # absent unless OpenSSL raised it
        if "CERTIFICATE_REQUIRED" in reason:
            return "client_certificate_required"
        if "ALERT_CERTIFICATE" in reason or "ALERT_BAD_CERTIFICATE" in reason:
            return "client_certificate_refused"
        if "ALERT_UNKNOWN_CA" in reason:
            return "client_certificate_refused"
        if "PROTOCOL_VERSION" in reason or reason == "UNSUPPORTED_PROTOCOL":
            return "protocol_version"
        return "handshake_failed"
    return "handshake_closed"


async def open_connection(
    target: Target,
    resolve: Resolve,
    timeouts: Timeouts,
    deadline_at: float,
    now: Callable[[], float],
    progress: Progress,
    factory: Callable[[], P],
    tell: Tell | None = None,
) -> P | Failure:
    """A connection of `factory`'s kind, or the phase and reason of the failure, never sent.

    `tell` hears of each address whether it accepted, unless it was closed before it had time to.
    """
    resolved = await _resolve(target, resolve, min(timeouts.resolve_s, deadline_at - now()))
    if isinstance(resolved, Failure):
        return resolved
    progress.resolved_at = now()
    connect_ends_at = min(progress.resolved_at + timeouts.connect_s, deadline_at)
    racing = race.Race(resolved, target.port, tell)
    connected = await _connect(racing, connect_ends_at - now(), timeouts.connect_s)
    if isinstance(connected, Failure):
        return connected
    progress.connected_at = now()
    tls_s = min(timeouts.tls_s, deadline_at - progress.connected_at)
    secured = await _secure(connected, target, factory, tls_s)
    if not isinstance(secured, Failure):
        progress.secured_at = now()
    return secured


async def _resolve(
    target: Target, resolve: Resolve, within_s: float
) -> Sequence[Address] | Failure:
    if within_s <= 0:
        return Failure(Phase.RESOLVE, "deadline", sent=False)
    found = resolve(target.host, within_s)
    if not isinstance(found, list | str):
        try:
            async with asyncio.timeout(within_s):
                found = await found
        except TimeoutError:
            found = "timeout"
    if isinstance(found, str):
        return Failure(Phase.RESOLVE, found, sent=False)
    return found or Failure(Phase.RESOLVE, "no_addresses", sent=False)


async def _connect(
    racing: race.Race, within_s: float, patience_s: float
) -> socket.socket | Failure:
    connected = await racing.run(within_s, patience_s) if within_s > 0 else "timeout"
    if isinstance(connected, str):
        return Failure(Phase.CONNECT, connected, sent=False)
    return connected


async def _secure(
    connected: socket.socket, target: Target, factory: Callable[[], P], within_s: float
) -> P | Failure:
    try:
        async with asyncio.timeout(within_s):
            if target.tls is not None:
                return await _handshake(connected, target.tls, target.server_name, factory)
            loop = asyncio.get_running_loop()
            _, protocol = await loop.create_connection(factory, sock=connected)
    except TimeoutError:
        connected.close()
        return Failure(Phase.TLS, "timeout", sent=False)
    except (OSError, asyncio.IncompleteReadError) as error:
        connected.close()
        return Failure(Phase.TLS, tls_reason(error), sent=False)
    except BaseException:
        connected.close()
        raise
    return protocol


async def _handshake(
    connected: socket.socket, context: ssl.SSLContext, server_name: str, factory: Callable[[], P]
) -> P:
    """TLS over a TCP transport that is kept: the TLS one forgets what it has handed down."""
    loop = asyncio.get_running_loop()
    below, _ = await loop.create_connection(asyncio.Protocol, sock=connected)
    protocol = factory()
    try:
        above = await loop.start_tls(below, protocol, context, server_hostname=server_name)
    except BaseException:
        below.abort()
        raise
    if above is None:
        raise ConnectionResetError
    protocol.secured(above, below)
    return protocol

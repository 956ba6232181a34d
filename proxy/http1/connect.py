"""Opening a connection, phase by phase: resolve, connect, tls.

Each phase has its own timeout and its own failure, and none of them can have
sent a byte of the request: whatever happens here is unsent.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from proxy.model.call import Progress
from proxy.model.message import Failure
from proxy.model.phase import Phase
from proxy.model.route import Timeouts

P = TypeVar("P", bound="Securable")
Address = tuple[socket.AddressFamily, str]
Resolve = Callable[[str, float], Awaitable[list[Address] | str]]
"""(name, timeout in seconds) -> addresses in order of preference, or the reason of failure."""

_ERRNO_REASONS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EADDRNOTAVAIL: "no_local_port",
    errno.EMFILE: "no_descriptor",
    errno.ENFILE: "no_descriptor",
}
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


class Securable(asyncio.Protocol):
    """A protocol that can stand on TLS, and is told what that stands on."""

    def secured(self, transport: asyncio.Transport, below: asyncio.Transport) -> None:
        """A TLS connection stands: `transport` encrypts, `below` is the TCP connection."""
        raise NotImplementedError


def connect_reason(error: OSError) -> str:
    """A word of ours for a failed connect."""
    return _ERRNO_REASONS.get(error.errno or 0, "connect_failed")


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
) -> P | Failure:
    """A connection of `factory`'s kind, or the phase and reason of the failure, never sent."""
    resolved = await _resolve(target, resolve, min(timeouts.resolve_s, deadline_at - now()))
    if isinstance(resolved, Failure):
        return resolved
    progress.resolved_at = now()
    connect_ends_at = min(progress.resolved_at + timeouts.connect_s, deadline_at)
    connected = await _connect(resolved, target.port, connect_ends_at, now)
    if isinstance(connected, Failure):
        return connected
    progress.connected_at = now()
    tls_s = min(timeouts.tls_s, deadline_at - progress.connected_at)
    secured = await _secure(connected, target, factory, tls_s)
    if not isinstance(secured, Failure):
        progress.secured_at = now()
    return secured


async def _resolve(target: Target, resolve: Resolve, within_s: float) -> list[Address] | Failure:
    if within_s <= 0:
        return Failure(Phase.RESOLVE, "deadline", sent=False)
    try:
        async with asyncio.timeout(within_s):
            addresses = await resolve(target.host, within_s)
    except TimeoutError:
        return Failure(Phase.RESOLVE, "timeout", sent=False)
    if isinstance(addresses, str):
        return Failure(Phase.RESOLVE, addresses, sent=False)
    return addresses


async def _connect(
    addresses: list[Address], port: int, ends_at: float, now: Callable[[], float]
) -> socket.socket | Failure:
    """The first address that accepts; each gets an even share of the time that is left."""
    reason = "timeout"
    for index, (family, address) in enumerate(addresses):
        share_s = (ends_at - now()) / (len(addresses) - index)
        if share_s <= 0:
            break
        attempted = await _connect_one(family, address, port, share_s)
        if isinstance(attempted, socket.socket):
            return attempted
        reason = attempted
    return Failure(Phase.CONNECT, reason, sent=False)


async def _connect_one(
    family: socket.AddressFamily, address: str, port: int, within_s: float
) -> socket.socket | str:
    try:
        connecting = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    except OSError as error:
        return connect_reason(error)
    try:
        connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.timeout(within_s):
            await asyncio.get_running_loop().sock_connect(connecting, (address, port))
    except TimeoutError:
        connecting.close()
        return "timeout"
    except OSError as error:
        connecting.close()
        return connect_reason(error)
    except BaseException:
        connecting.close()
        raise
    return connecting


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

"""TLS with a partner on a connection that stands, and words of ours for why it fails."""

from __future__ import annotations

import abc
import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar

from proxy.http1.tunnel import Tunnel
from proxy.model.message import Failure
from proxy.model.phase import Phase

P = TypeVar("P", bound="Securable")

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


async def over_socket(
    connected: socket.socket,
    tls: ssl.SSLContext | None,
    server_name: str,
    factory: Callable[[], P],
    within_s: float,
) -> P | Failure:
    """`factory`'s protocol on a TCP connection, or the reason of a failed handshake."""
    try:
        async with asyncio.timeout(within_s):
            loop = asyncio.get_running_loop()
            if tls is not None:
                below, _ = await loop.create_connection(asyncio.Protocol, sock=connected)
                return await _handshake(below, below, tls, server_name, factory)
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


async def over_tunnel(
    tunnel: Tunnel,
    tls: ssl.SSLContext | None,
    server_name: str,
    factory: Callable[[], P],
    within_s: float,
) -> P | Failure:
    """The same in a tunnel; it is cut where this fails."""
    transport, below = tunnel.transport, tunnel.below
    if tls is None:
        protocol = factory()
        transport.set_protocol(protocol)
        if transport is below:
            protocol.connection_made(transport)
        else:  # the proxy is spoken to over TLS, and the partner is not
            protocol.secured(transport, below)
        return protocol
    try:
        async with asyncio.timeout(within_s):
            return await _handshake(transport, below, tls, server_name, factory)
    except TimeoutError:
        return Failure(Phase.TLS, "timeout", sent=False)
    except (OSError, asyncio.IncompleteReadError) as error:
        return Failure(Phase.TLS, tls_reason(error), sent=False)


async def _handshake(
    ground: asyncio.Transport,
    below: asyncio.Transport,
    context: ssl.SSLContext,
    server_name: str,
    factory: Callable[[], P],
) -> P:
    """TLS on `ground`; `below`, the TCP transport, is kept: the TLS one forgets what it has
    handed down.
    """
    loop = asyncio.get_running_loop()
    protocol = factory()
    try:
        above = await loop.start_tls(ground, protocol, context, server_hostname=server_name)
    except BaseException:
        below.abort()
        raise
    if above is None:
        raise ConnectionResetError
    protocol.secured(above, below)
    return protocol

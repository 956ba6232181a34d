"""A tunnel through a forward proxy: CONNECT on a TCP connection that stands (RFC 9110, 9.3.6).

Everything here is part of the phase connect, and none of it can have sent a byte
of the request: the proxy is told where to connect, and what comes of that is
`proxy_...`, a reason of its own, so that a proxy's trouble is never the partner's.

The proxy may be spoken to over TLS. The partner's TLS is inside the tunnel in
either case, and ends at the partner: the proxy sees a name, a port and noise.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass, field

from proxy.http1.tunnel_reply import OPEN, ReplyReader


@dataclass(frozen=True, slots=True)
class Via:
    """A forward proxy, and what it is asked for. `tls` None is cleartext."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    places: tuple[bytes, ...]
    """`host:port` of the partner, in order; the next one where the proxy has no way to the first.
    A name is looked up by the proxy, since only the proxy knows which addresses it reaches."""
    authorization: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Tunnel:
    """An open tunnel: `transport` leads to the partner, `below` is the TCP connection."""

    transport: asyncio.Transport
    below: asyncio.Transport


def place(host: str, port: int) -> bytes:
    """Where a tunnel is to lead, as CONNECT names it."""
    return (f"[{host}]:{port}" if ":" in host else f"{host}:{port}").encode()


class _Asking(asyncio.Protocol):
    """Waits for the proxy's reply; whatever comes after it, before we have spoken, is an end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._reader = ReplyReader()
        self.reply: asyncio.Future[str] = loop.create_future()
        self.spoiled = False

    def data_received(self, data: bytes) -> None:
        """Part of the reply."""
        if self.reply.done():
            self.spoiled = True
            return
        said = self._reader.feed(data)
        if said is not None:
            self.reply.set_result(said)

    def eof_received(self) -> bool:
        """A proxy that says no more opens no tunnel, and one that stands has ended."""
        self._over()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection to the proxy is gone."""
        self._over()

    def _over(self) -> None:
        self.spoiled = True
        if not self.reply.done():
            self.reply.set_result("proxy_closed")


async def dig(connected: socket.socket, via: Via, to: bytes) -> Tunnel | str:
    """A tunnel to `to`, or the reason that there is none; then the connection is closed.

    Takes as long as the proxy does: the caller has the clock. Raises OSError where TLS with
    the proxy fails.
    """
    loop = asyncio.get_running_loop()
    asking = _Asking(loop)
    below, _ = await loop.create_connection(lambda: asking, sock=connected)
    transport: asyncio.Transport | None = None
    try:
        transport = below
        if via.tls is not None:
            transport = await _secure(loop, below, asking, via.tls, via.host)
        transport.write(_request(to, via.authorization))
        said = await asking.reply
    except BaseException:
        below.abort()
        raise
    if said == OPEN and not asking.spoiled:
        return Tunnel(transport, below)
    transport.abort()
    return "proxy_spoke_first" if said == OPEN else said


async def _secure(
    loop: asyncio.AbstractEventLoop,
    below: asyncio.Transport,
    asking: _Asking,
    context: ssl.SSLContext,
    name: str,
) -> asyncio.Transport:
    above = await loop.start_tls(below, asking, context, server_hostname=name)
    if above is None:
        raise ConnectionResetError
    return above


def _request(to: bytes, authorization: bytes | None) -> bytes:
    said = b"" if authorization is None else b"Proxy-Authorization: %s\r\n" % authorization
    return b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (to, to, said)

"""A socket that is about to be connected, and words of ours for why it cannot be."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from typing import Final

NO_PORT: Final = "no_local_port"
NO_SOURCE: Final = "no_source_address"
"""The address that connections are to come from is not this machine's, or of no such family."""

_REASONS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EADDRNOTAVAIL: NO_PORT,
    errno.EMFILE: "no_descriptor",
    errno.ENFILE: "no_descriptor",
}
OURS: Final = frozenset({NO_PORT, NO_SOURCE, "no_descriptor"})
"""Trouble of this machine: nobody is told that an address failed."""
_BIND_ADDRESS_NO_PORT: Final = 24
"""Linux's IP_BIND_ADDRESS_NO_PORT, which the socket module does not name."""

Sources = Mapping[socket.AddressFamily, str]
"""The address that connections come from, by family."""


class SourceError(OSError):
    """The address to come from cannot be used."""


def connect_reason(error: OSError) -> str:
    """A word of ours for a failed connect."""
    if isinstance(error, SourceError):
        return NO_SOURCE
    return _REASONS.get(error.errno or 0, "connect_failed")


def bind_source(connecting: socket.socket, sources: Sources) -> None:
    """Make a socket's connection come from our address of its family. Raises SourceError."""
    source = sources.get(connecting.family)
    if source is None:
        raise SourceError(errno.EAFNOSUPPORT, "no address to come from in this family")
    try:
        # the port is chosen by connect(): by bind() all partners together would have 28,000
        connecting.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        connecting.bind((source, 0))
    except OSError as error:
        raise SourceError(error.errno, "bind") from error


def dial(
    family: socket.AddressFamily,
    address: str,
    port: int,
    sources: Sources | None,
) -> tuple[socket.socket, bool]:
    """A socket, and whether it is connected already; else it is about to be. Raises OSError.

    Where there are `sources` it comes from the one of its family, or SourceError is raised.
    """
    socket.inet_pton(family, address)  # whatever is no address would be looked up, and block
    dialling = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        dialling.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sources:
            bind_source(dialling, sources)
        code = dialling.connect_ex((address, port))
        if code not in (0, errno.EINPROGRESS, errno.EINTR):
            raise OSError(code, "connect")
    except BaseException:
        dialling.close()
        raise
    return dialling, code == 0

"""Listening sockets: loopback TCP, or a Unix socket with a mode."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

from proxy.http1.serving import Edge
from proxy.model.errors import StartError

BACKLOG = 1024


class ListenError(StartError):
    """The address cannot be listened on; the message names it and the remedy."""


async def listen_tcp(edge: Edge, host: str, port: int) -> tuple[str, int]:
    """Accept on a TCP address; returns it with the port that was given. Raises ListenError."""
    try:
        server = await edge.loop.create_server(edge.connection, host, port, backlog=BACKLOG)
    except OSError as error:
        raise ListenError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; "
            "end the process that holds the port, or change `listen.address`"
        ) from None
    edge.serve(server)
    bound = server.sockets[0].getsockname()
    return bound[0], bound[1]


async def listen_unix(edge: Edge, path: str, mode: int) -> None:
    """Accept on a Unix socket with exactly this mode from its first instant. Raises ListenError."""
    try:
        _remove_stale(path)
        bound = _bind(path, mode)
        server = await edge.loop.create_unix_server(edge.connection, sock=bound, backlog=BACKLOG)
    except OSError as error:
        raise ListenError(
            f"cannot listen on unix:{path}: {error.strerror or error}; "
            "check that its folder exists and may be written, or change `listen.address`"
        ) from None
    edge.serve(server)


def leave_unix(path: str) -> None:
    """Take the socket away as the drain begins: later a successor may have put its own there."""
    Path(path).unlink(missing_ok=True)


def _bind(path: str, mode: int) -> socket.socket:
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777 & ~mode)
    try:
        bound.bind(path)
        os.chmod(path, mode)
    except OSError:
        bound.close()
        raise
    finally:
        os.umask(before)
    return bound


def _remove_stale(path: str) -> None:
    """Take away the socket of a sidecar that died; a living one, or a file, is left alone."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise OSError(f"{path} exists and is no socket")
    except FileNotFoundError:
        return
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        probe.connect(path)
    except (ConnectionRefusedError, FileNotFoundError):
        Path(path).unlink(missing_ok=True)
    else:
        raise OSError("another process is listening there")
    finally:
        probe.close()

"""`proxy.inbound.listener`: sockets that are there from the first instant with the right mode."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path

import pytest

from proxy.http1.limits import EdgeLimits
from proxy.http1.request_head import Reject
from proxy.http1.serving import Edge
from proxy.inbound.listener import ListenError, leave_unix, listen_tcp, listen_unix
from proxy.model.clock import SystemClock
from proxy.model.errors import StartError
from proxy.model.message import Request, Response
from tests.support.client import Client, Reply
from tests.support.sidecar import Address

LIMITS = EdgeLimits(
    methods=frozenset((b"GET",)),
    connections_max=10,
    request_line_bytes_max=1024,
    header_bytes_max=4096,
    header_count_max=20,
    body_bytes_max=1024,
    timeout_header_s=5.0,
    timeout_body_s=5.0,
    timeout_idle_s=5.0,
    timeout_write_s=5.0,
)


def _edge() -> Edge:
    async def handler(_: Request) -> Response:
        return Response(200, [], b"here")

    def refusal(reject: Reject) -> Response:
        return Response(reject.status, [], b"no")

    return Edge(
        loop=asyncio.get_running_loop(),
        clock=SystemClock(),
        limits=LIMITS,
        handler=handler,
        failed=lambda error: Response(500, [], type(error).__name__.encode()),
        refusal=refusal,
        rejected=lambda reject: None,
    )


async def _asked(address: Address) -> Reply:
    def ask() -> Reply:
        with Client(address) as client:
            return client.call("GET", "/", None)

    return await asyncio.to_thread(ask)


async def test_a_tcp_port_of_the_kernels_choosing_is_told() -> None:
    """Port 0 becomes a real one, and calls are accepted there."""
    edge = _edge()
    host, port = await listen_tcp(edge, "127.0.0.1", 0)
    assert host == "127.0.0.1"
    assert port > 0
    assert (await _asked((host, port))).body == b"here"
    assert await edge.drain(1.0)


async def test_a_port_that_is_taken_is_named_with_a_remedy() -> None:
    """The sidecar does not start, and says why."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=rf"127\.0\.0\.1:{port}: .*listen\.address") as raised:
            await listen_tcp(_edge(), "127.0.0.1", port)
    assert isinstance(raised.value, StartError)


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
async def test_a_unix_socket_has_exactly_its_mode_whatever_the_umask(
    tmp_path: Path, mode: int
) -> None:
    """Who may call is decided by the mode; the process's umask is put back."""
    path = str(tmp_path / "pay.sock")
    before = os.umask(0o027)
    try:
        edge = _edge()
        await listen_unix(edge, path, mode)
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(path).st_mode) == mode
    assert (await _asked(path)).body == b"here"
    leave_unix(path)
    leave_unix(path)
    assert not os.path.exists(path)
    assert await edge.drain(1.0)


async def test_the_socket_of_a_dead_sidecar_is_replaced(tmp_path: Path) -> None:
    """After a crash the next start needs no help."""
    path = str(tmp_path / "pay.sock")
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(path)
    dead.close()
    edge = _edge()
    await listen_unix(edge, path, 0o600)
    assert (await _asked(path)).status == 200
    assert await edge.drain(1.0)


async def test_the_socket_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    """Two sidecars on one path would each get a share of the payments."""
    path = str(tmp_path / "pay.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as living:
        living.bind(path)
        living.listen()
        with pytest.raises(ListenError, match="another process is listening"):
            await listen_unix(_edge(), path, 0o600)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as still:
            still.connect(path)


async def test_a_file_is_never_removed(tmp_path: Path) -> None:
    """A path written by mistake costs a start, not a file."""
    path = tmp_path / "important"
    path.write_text("data", encoding="utf-8")
    with pytest.raises(ListenError, match="is no socket"):
        await listen_unix(_edge(), str(path), 0o600)
    assert path.read_text(encoding="utf-8") == "data"


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """And no socket is left open behind the error."""
    path = str(tmp_path / "none" / "pay.sock")
    with pytest.raises(ListenError, match="folder exists"):
        await listen_unix(_edge(), path, 0o600)

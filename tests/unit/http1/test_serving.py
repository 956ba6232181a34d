"""Rules for the inbound edge on real sockets and both loops: serving, refusing, draining."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.http1.request_head import Reject
from proxy.http1.serving import Edge
from proxy.model.clock import SystemClock
from proxy.model.message import Request, Response
from tests.unit.http1.door import reply, request
from tests.unit.http1.fakes import edge_limits

PATIENCE_S = 10.0
"""With a busy machine; a passing test never uses it up."""


async def echo(request: Request) -> Response:
    """Answer with what was sent."""
    return Response(200, [], request.target + request.body)


class House:
    """An edge that listens; keywords are its limits."""

    def __init__(self, handler: Callable[[Request], Awaitable[Response]], **limits: Any) -> None:
        self.rejects: list[Reject] = []
        self.edge = Edge(
            loop=asyncio.get_running_loop(),
            clock=SystemClock(),
            limits=edge_limits(**limits),
            handler=handler,
            failed=lambda error: Response(500, [], type(error).__name__.encode()),
            refusal=lambda reject: Response(reject.status, [], reject.reason.encode()),
            rejected=self.rejects.append,
        )
        self.port = 0

    async def listen(self) -> None:
        """On a port of the kernel's choice."""
        server = await self.edge.loop.create_server(self.edge.connection, "127.0.0.1", 0)
        self.edge.serve(server)
        self.port = server.sockets[0].getsockname()[1]


@contextlib.asynccontextmanager
async def house(
    handler: Callable[[Request], Awaitable[Response]] = echo, **limits: Any
) -> AsyncIterator[House]:
    """A listening edge, drained in the end."""
    made = House(handler, **limits)
    await made.listen()
    try:
        yield made
    finally:
        await made.edge.drain(0.0)


@contextlib.asynccontextmanager
async def caller(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection of an application."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Everything up to the close."""
    async with asyncio.timeout(PATIENCE_S):
        return await reader.read()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that must come true."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.001)


async def test_pipelined_requests_of_one_segment_are_answered_in_order() -> None:
    """All of them, one after another, and the connection stays."""
    async with house() as made, caller(made.port) as (reader, writer):
        writer.write(b"".join(request(path=b"/%d" % number) for number in range(5)))
        expected = b"".join(reply(b"/%d" % number) for number in range(5))
        assert await reader.readexactly(len(expected)) == expected
        writer.write(request(b"POST", body=b"x"))
        assert await reader.readexactly(len(reply(b"/x"))) == reply(b"/x")


async def test_a_half_closed_application_gets_its_answers() -> None:
    """Its FIN comes while the handler works; the answers come, and then our FIN."""
    release = asyncio.Event()

    async def handler(request: Request) -> Response:
        await release.wait()
        return await echo(request)

    async with house(handler) as made, caller(made.port) as (reader, writer):
        writer.write(request(path=b"/1") + request(path=b"/2"))
        writer.write_eof()
        await until(lambda: len(made.edge.busy) == 1)
        await asyncio.sleep(0.01)
        release.set()
        assert await rest(reader) == reply(b"/1") + reply(b"/2")


async def test_a_body_is_asked_for() -> None:
    """The interim answer leaves before the body has come."""
    async with house() as made, caller(made.port) as (reader, writer):
        writer.write(request(b"POST", b"Content-Length: 2", b"Expect: 100-continue"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hi")
        assert await reader.readexactly(len(reply(b"/hi"))) == reply(b"/hi")


async def test_a_refusal_reaches_a_sender_that_still_sends() -> None:
    """A reset would overtake it: so what comes behind is read, and the connection ends politely."""
    async with house() as made, caller(made.port) as (reader, writer):
        writer.write(b"POST / HTTP/2.0\r\n" + b"x" * 2_000_000)
        await asyncio.wait_for(writer.drain(), PATIENCE_S)
        writer.write_eof()
        got = await rest(reader)
        assert got.startswith(b"HTTP/1.1 505 ")
        assert got.endswith(b"http_version")
        await until(lambda: not made.edge.connections)
        assert made.rejects == [Reject(505, "http_version")]


@pytest.mark.parametrize("draining", [False, True])
async def test_a_sender_that_has_gone_when_it_is_refused(draining: bool) -> None:
    """By FIN or RST, on arrival or later: the refusal fails in silence, and nothing is left."""
    async with house() as made:
        made.edge.draining = draining
        for number in range(10):
            gone = socket.create_connection(("127.0.0.1", made.port))
            if not draining:
                gone.sendall(b"garbage\r\n\r\n")
            if number % 2:
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            gone.close()
        await asyncio.sleep(0.03)
        await until(lambda: not made.edge.connections)


async def test_connections_are_bounded() -> None:
    """One too many is told so; when another leaves there is room again."""
    async with house(connections_max=1) as made, caller(made.port) as (first, writer):
        writer.write(request())
        assert await first.readexactly(len(reply(b"/"))) == reply(b"/")
        async with caller(made.port) as (second, _):
            assert (await rest(second)).startswith(b"HTTP/1.1 503 ")
        writer.close()
        await until(lambda: not made.edge.connections)
        async with caller(made.port) as (third, fresh):
            fresh.write(request())
            assert await third.readexactly(len(reply(b"/"))) == reply(b"/")
    assert made.rejects == [Reject(503, "connections_max")]


@pytest.mark.parametrize("reset", [False, True])
async def test_a_call_goes_on_when_its_application_hangs_up(reset: bool) -> None:
    """To its end, and the drain waits for it: the call is no longer the socket's."""
    release, ended = asyncio.Event(), asyncio.Event()

    async def handler(request: Request) -> Response:
        await release.wait()
        ended.set()
        return await echo(request)

    async with house(handler) as made:
        async with caller(made.port) as (_, writer):
            writer.write(request())
            await until(lambda: len(made.edge.busy) == 1)
            if reset:
                linger = struct.pack("ii", 1, 0)
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        await asyncio.sleep(0.01)
        assert not ended.is_set()
        draining = asyncio.ensure_future(made.edge.drain(PATIENCE_S))
        await asyncio.sleep(0.02)
        assert not draining.done()
        release.set()
        assert await draining is True
        assert ended.is_set()
        assert made.edge.busy == set()


async def test_who_does_not_read_its_answer_is_cut() -> None:
    """After the time for writing; a large answer does not stay in memory for ever."""

    async def handler(request: Request) -> Response:
        return Response(200, [], b"x" * 16_000_000)

    async with house(handler, timeout_write_s=0.05) as made, caller(made.port) as (_, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined] # it can read as well
        writer.write(request() + request())
        begun = time.monotonic()
        await until(lambda: bool(made.edge.connections))
        await until(lambda: not made.edge.connections)
        assert time.monotonic() - begun >= 0.05


async def test_who_reads_slowly_gets_everything() -> None:
    """Answers follow one another as they are taken, and none is mixed up."""

    async def handler(request: Request) -> Response:
        return Response(200, [], request.target[1:] * 3_000_000)

    async with house(handler) as made, caller(made.port) as (reader, writer):
        writer.write(b"".join(request(path=b"/%d" % number) for number in range(3)))
        for number in range(3):
            await asyncio.sleep(0.01)
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"Content-Length: 3000000\r\n" in head
            assert await reader.readexactly(3_000_000) == b"%d" % number * 3_000_000


async def test_it_serves_unix_sockets(tmp_path: Path) -> None:
    """In the same way."""
    made = House(echo)
    path = str(tmp_path / "socket")
    made.edge.serve(await made.edge.loop.create_unix_server(made.edge.connection, path))
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(request() + b"GET / RTSP/1.0\r\n\r\n")
    expected = reply(b"/") + reply(b"request_line", status=400, close=True)
    assert await rest(reader) == expected
    writer.transport.abort()
    assert await made.edge.drain(1.0) is True

"""Rules for the drain: what runs is finished, bounded, and nothing is left behind."""

from __future__ import annotations

import asyncio
import time

from proxy.http1.request_head import Reject
from proxy.model.message import Request, Response
from tests.unit.http1.door import reply, request
from tests.unit.http1.test_serving import PATIENCE_S, caller, echo, house, rest, until


async def test_an_idle_edge_drains_at_once() -> None:
    """Idle connections and those in the middle of a request end; nobody new is accepted."""
    async with (
        house() as made,
        caller(made.port) as (idle, writer),
        caller(made.port) as (cut, half),
    ):
        writer.write(request())
        await idle.readexactly(len(reply(b"/")))
        half.write(request()[:-1])
        await until(lambda: len(made.edge.connections) == 2)
        await asyncio.sleep(0.01)  # closing over unread bytes would be a reset
        assert await made.edge.drain(PATIENCE_S) is True
        assert await rest(idle) == b""
        assert await rest(cut) == b""
        assert made.edge.connections == set()
        try:
            await asyncio.open_connection("127.0.0.1", made.port)
        except ConnectionRefusedError:
            return
        raise AssertionError("somebody still listens")


async def test_a_call_at_work_is_finished() -> None:
    """Its answer goes out with `Connection: close`, and the requests behind it are not begun."""
    release = asyncio.Event()

    async def handler(request: Request) -> Response:
        await release.wait()
        return await echo(request)

    async with house(handler) as made, caller(made.port) as (reader, writer):
        writer.write(request(path=b"/1") + request(path=b"/2"))
        await until(lambda: len(made.edge.busy) == 1)
        draining = asyncio.ensure_future(made.edge.drain(PATIENCE_S))
        await asyncio.sleep(0.02)
        release.set()
        assert await rest(reader) == reply(b"/1", close=True)
        assert await draining is True
        assert (made.edge.connections, made.edge.busy) == (set(), set())


async def test_a_call_without_end_is_given_up() -> None:
    """When the time is over its handler is cancelled, its connection cut, and the drain says so."""
    cancelled = asyncio.Event()

    async def handler(request: Request) -> Response:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError("unreachable")

    async with house(handler) as made, caller(made.port) as (reader, writer):
        writer.write(request())
        await until(lambda: len(made.edge.busy) == 1)
        begun = time.monotonic()
        assert await made.edge.drain(0.03) is False
        assert time.monotonic() - begun >= 0.03
        assert await rest(reader) == b""
        await until(cancelled.is_set)
        await until(lambda: not made.edge.busy and not made.edge.connections)


async def test_who_comes_too_late_is_told() -> None:
    """Accepted by the kernel just before listening ended: 503, which an application may retry."""
    async with house() as made:
        made.edge.draining = True
        async with caller(made.port) as (reader, _):
            got = await rest(reader)
            assert got.startswith(b"HTTP/1.1 503 ")
            assert got.endswith(b"draining")
        assert made.rejects == [Reject(503, "draining")]


async def test_the_drain_waits_for_answers_that_are_still_leaving() -> None:
    """The handler is done, but the application has not taken all of the answer yet."""
    answered = asyncio.Event()

    async def handler(request: Request) -> Response:
        answered.set()
        return Response(200, [], b"x" * 16_000_000)

    async with house(handler) as made, caller(made.port) as (reader, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined] # it can read as well
        writer.write(request(b"GET", b"Connection: close"))
        await until(answered.is_set)
        draining = asyncio.ensure_future(made.edge.drain(PATIENCE_S))
        await asyncio.sleep(0.02)
        assert not draining.done()
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert len(await rest(reader)) > 16_000_000
        assert await draining is True


async def test_those_who_were_turned_away_do_not_outlive_the_drain() -> None:
    """They read why they were refused; the drain does not wait for that."""
    async with (
        house(connections_max=1) as made,
        caller(made.port),
        caller(made.port) as (refused, _),
    ):
        assert (await refused.readline()).startswith(b"HTTP/1.1 503 ")
        assert len(made.edge.turned_away) == 1
        assert await made.edge.drain(PATIENCE_S) is True
        await until(lambda: not made.edge.turned_away)

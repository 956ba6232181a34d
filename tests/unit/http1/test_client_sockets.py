"""Rules for exchanges on real sockets, cleartext and TLS, on both loops.

The pool is the real one; the partner is a scripted origin in threads of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trustme

from proxy.http1.connect import Target
from proxy.http1.exchange import Exchange, Result
from proxy.http1.pool import Pool
from proxy.model.call import Progress
from proxy.model.message import Failure, Response
from proxy.model.phase import Phase
from tests.support.origin import Origin
from tests.support.peer import Peer, Script, always, answer
from tests.unit.http1.fakes import pool_limits, timeouts
from tests.unit.http1.partner import local

PATIENCE_S = 10.0
AUTHORITY = trustme.CA()
SERVER = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
AUTHORITY.issue_cert("localhost").configure_cert(SERVER)
CLIENT = ssl.create_default_context()
AUTHORITY.configure_trust(CLIENT)
EITHER = pytest.mark.parametrize("tls", [False, True], ids=["cleartext", "tls"])
EMPTY = {"idle": 0, "busy": 0, "lingering": 0, "opening": 0, "waiting": 0}


class Caller:
    """Calls an origin through a pool; keywords are limits of the pool."""

    def __init__(self, origin: Origin, *, tls: bool, **limits: Any) -> None:
        loop = asyncio.get_running_loop()
        target = Target("localhost", origin.port, CLIENT if tls else None, "localhost")
        self.pool = Pool(target, pool_limits(**limits), timeouts(), local, time.monotonic, loop)
        self.progress = Progress()
        self.late: asyncio.Future[Result] = loop.create_future()

    async def call(self, body: bytes = b"hi", **limits: float) -> Result:
        """One attempt, as the transport layer makes it; keywords are timeouts."""
        self.progress = Progress()
        patience = timeouts(**limits)
        exchange = Exchange(
            self.progress, patience, time.monotonic() + PATIENCE_S, False, True, self._told
        )
        connection = self.pool.take()
        if connection is None:
            opened = await self.pool.open(self.progress, patience, exchange.deadline_at)
            if isinstance(opened, Failure):
                return opened
            connection = opened
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
        return await connection.exchange(head + body, exchange)

    def _told(self, late: Result) -> None:
        if not self.late.done():
            self.late.set_result(late)

    async def answer(self, body: bytes = b"hi") -> Response:
        """A call that must be answered."""
        result = await self.call(body)
        assert isinstance(result, Response), result
        return result

    async def until(self, **counts: int) -> None:
        """Wait until the pool holds this and nothing else."""
        async with asyncio.timeout(PATIENCE_S):
            while self.pool.counts() != EMPTY | counts:
                await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def partner(
    script: Script, *, tls: bool = False, **limits: Any
) -> AsyncIterator[tuple[Caller, Origin]]:
    """A caller and its origin; in the end the pool must be empty."""
    with Origin(script, tls=SERVER if tls else None) as origin:
        caller = Caller(origin, tls=tls, **limits)
        yield caller, origin
        await caller.pool.drain(0.0)
        await caller.until()


def echo(peer: Peer) -> None:
    """Answer each request with its body."""
    while True:
        peer.send(answer(200, peer.read_request().body))


@EITHER
async def test_one_connection_serves_call_after_call(tls: bool) -> None:
    """Each answer is its own request's."""
    async with partner(echo, tls=tls) as (caller, origin):
        for number in range(5):
            assert (await caller.answer(b"%d" % number)).body == b"%d" % number
            assert caller.progress.reused is (number > 0)
        await caller.until(idle=1)
        assert origin.accepted == 1


@EITHER
@pytest.mark.parametrize("how", ["fin", "reset", "stray", "408"])
async def test_an_idle_connection_that_the_partner_touches_is_not_used_again(
    tls: bool, how: str
) -> None:
    """It is gone before the next call, which gets a fresh one and its own answer."""

    def script(peer: Peer) -> None:
        peer.send(answer(200, peer.read_request().body))
        if peer.number > 1:
            return echo(peer)
        time.sleep(0.005)  # so that it comes while the connection is idle
        if how == "reset":
            return peer.reset()
        if how != "fin":
            peer.send(answer(408 if how == "408" else 200, b"EVIL"))
            peer.wait_closed()
        return None

    async with partner(script, tls=tls) as (caller, origin):
        assert (await caller.answer(b"first")).body == b"first"
        await caller.until()
        assert (await caller.answer(b"second")).body == b"second"
        assert not caller.progress.reused
        assert origin.accepted == 2


@EITHER
@pytest.mark.parametrize(("how", "reason"), [("fin", "closed"), ("reset", "reset")])
async def test_a_partner_that_ends_instead_of_answering(tls: bool, how: str, reason: str) -> None:
    """The request was sent, and nobody knows what became of it."""

    def script(peer: Peer) -> None:
        peer.read_request()
        if how == "reset":
            peer.reset()

    async with partner(script, tls=tls) as (caller, origin):
        failure = await caller.call()
        assert isinstance(failure, Failure)
        assert (failure.phase, failure.sent) == (Phase.FIRST_BYTE, True)
        assert failure.reason == reason
        assert len(origin.received) == 1


@pytest.mark.parametrize("how", ["fin", "stray"])
@EITHER
async def test_unsent_is_the_truth(tls: bool, how: str) -> None:
    """A partner that ends, or speaks first, as soon as it is reached: unsent means no byte came."""
    got: list[bytes] = []

    def script(peer: Peer) -> None:
        if how == "fin":
            socket.socket.shutdown(peer.socket, socket.SHUT_WR)
        else:
            peer.send(b"go away\r\n\r\n")
        got.append(peer.wait_closed())

    async with partner(script, tls=tls) as (caller, _):
        for number in range(1, 11):
            result = await caller.call()
            await caller.until()
            async with asyncio.timeout(PATIENCE_S):
                while len(got) < number:
                    await asyncio.sleep(0.001)
            assert isinstance(result, Failure)
            assert result.sent or got[-1] == b""


@EITHER
async def test_a_partner_that_takes_no_bytes(tls: bool) -> None:
    """Sending has its time; what was left of the request never leaves, and nothing lingers."""
    taken: list[bytes] = []

    def script(peer: Peer) -> None:
        time.sleep(0.15)
        taken.append(peer.wait_closed())

    async with partner(script, tls=tls) as (caller, _):
        body = b"x" * 32_000_000
        failure = await caller.call(body, send_s=0.05, first_byte_s=0.05)
        assert isinstance(failure, Failure)
        assert (failure.reason, failure.sent) == ("timeout", True)
        if not tls:  # over TLS the loop does not tell how much is left
            assert failure.phase is Phase.SEND
            await caller.until()
        await caller.pool.drain(0.0)
        async with asyncio.timeout(PATIENCE_S):
            while not taken:
                await asyncio.sleep(0.005)
        assert len(taken[0]) < len(body)


async def test_an_answer_before_the_request_has_left() -> None:
    """It is an answer, and its connection ends."""

    def script(peer: Peer) -> None:
        peer.read_some()
        peer.send(answer(413, b"too large"))
        peer.wait_closed()

    async with partner(script) as (caller, _):
        result = await caller.call(b"x" * 32_000_000)
        assert isinstance(result, Response)
        assert (result.status, result.body) == (413, b"too large")
        await caller.until()


@EITHER
async def test_a_late_answer_is_learned(tls: bool) -> None:
    """The caller was answered in time; the partner's word comes later, and counts."""

    def script(peer: Peer) -> None:
        body = peer.read_request().body
        time.sleep(0.08)
        peer.send(answer(200, body))
        peer.wait_closed()

    async with partner(script, tls=tls) as (caller, _):
        failure = await caller.call(b"late", first_byte_s=0.03)
        assert failure == Failure(Phase.FIRST_BYTE, "timeout", sent=True)
        assert caller.pool.counts() == EMPTY | {"lingering": 1}
        late = await asyncio.wait_for(caller.late, PATIENCE_S)
        assert isinstance(late, Response)
        assert late.body == b"late"
        await caller.until()


@EITHER
async def test_an_aborted_connection_is_gone_at_once(tls: bool) -> None:
    """A partner that never says goodbye cannot hold it, as it could a TLS close."""
    async with partner(always(answer(200, b"ok")), tls=tls) as (caller, _):
        await caller.answer()
        begun_at = time.monotonic()
        await caller.pool.drain(0.0)
        await caller.until()
        await asyncio.sleep(0.01)
        assert time.monotonic() - begun_at < 2.0


async def test_no_answer_is_mixed_up_by_a_hostile_partner() -> None:
    """Stray bytes, 408s, early ends and half answers at random: an answer is one's own, or none.

    What cannot be told apart is a good answer that nobody asked for and that
    comes after the next request: against such a partner only `reuse: false` helps.
    """
    dice = random.Random(20261121)

    def script(peer: Peer) -> None:
        while True:
            body = peer.read_request().body
            mischief = dice.random()
            if mischief < 0.05:
                return peer.reset()
            if mischief < 0.15:
                peer.send(answer(200, body) + answer(200, b"EVIL"))
            elif mischief < 0.25:
                peer.send(answer(200, body), answer(408, b"EVIL"))
            elif mischief < 0.3:
                return peer.send(answer(200, body)[:-1])
            elif mischief < 0.35:
                return peer.send(answer(200, body))
            else:
                peer.send(answer(200, body))

    async with partner(script, connections_max=4, waiters_max=100, idle_max=4) as (caller, _):
        answered = 0
        for batch in range(25):
            names = [b"%d-%d" % (batch, number) for number in range(8)]
            results = await asyncio.gather(*(caller.call(name) for name in names))
            for name, result in zip(names, results, strict=True):
                if isinstance(result, Response):
                    assert (result.status, result.body) == (200, name)
                    answered += 1
                else:
                    assert result.reason in ("reset", "closed", "timeout_408_on_reused")
        assert answered > 100

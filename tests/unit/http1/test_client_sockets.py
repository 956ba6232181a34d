"""Rules for exchanges on real sockets, cleartext and TLS, on both loops.

The pool is the real one; the partner is a scripted origin in threads of its own.
"""

from __future__ import annotations

import asyncio
import ssl
import time

import pytest
import trustme

from proxy.http1.connect import Target
from proxy.model.message import Failure, Response
from proxy.model.phase import Phase
from tests.support.origin import Origin
from tests.support.peer import Peer, always, answer
from tests.unit.http1.caller import AUTHORITY, EITHER, EMPTY, PATIENCE_S, Caller, echo, partner


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


@pytest.mark.parametrize("shown", [False, True], ids=["no certificate", "a strange one"])
async def test_a_client_certificate_that_tls_1_3_refuses(shown: bool) -> None:
    """Is in doubt, if it can with a reason of its own: the request had left when the alert came."""
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost").configure_cert(theirs)
    AUTHORITY.configure_trust(theirs)
    theirs.verify_mode, theirs.minimum_version = ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_3
    ours = ssl.create_default_context()
    AUTHORITY.configure_trust(ours)
    if shown:
        trustme.CA().issue_cert("application").configure_cert(ours)
    with Origin(tls=theirs) as origin:
        caller = Caller(origin, tls=True)
        caller.pool.target = Target("localhost", origin.port, ours, "localhost")
        reason = "client_certificate_refused" if shown else "client_certificate_required"
        failure = await caller.call()
        assert isinstance(failure, Failure)
        # the partner's reset, for the request that it did not read, may overtake its alert
        assert failure.reason in (reason, "reset")
        assert (failure.phase, failure.sent) == (Phase.FIRST_BYTE, True)
        assert origin.received == []
        await caller.until()

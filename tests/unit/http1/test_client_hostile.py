"""Rules for partners that do what no partner should, on real sockets and both loops."""

from __future__ import annotations

import asyncio
import random
import socket

import pytest

from proxy.model.message import Failure, Response
from tests.support.peer import Peer, answer
from tests.unit.http1.caller import EITHER, PATIENCE_S, partner


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

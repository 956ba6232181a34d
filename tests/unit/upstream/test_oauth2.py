"""Rules for keeping a token."""

from __future__ import annotations

import asyncio

from proxy.model.outcome import Answered, Execution, Origin, Outcome, Unsent
from proxy.model.phase import Phase
from proxy.upstream.oauth2 import Tokens
from tests.support.manual_clock import ManualClock
from tests.support.values import response

DOWN = Unsent("acme", "a", Phase.CONNECT, "refused", Origin.PARTNER)


class Server:
    """Gives tokens t1, t2 ... that last ten minutes."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.asked = 0
        self.gate: asyncio.Event | None = None
        self.down = False
        self.tokens = Tokens(self._fetch, self.clock)

    async def _fetch(self) -> Outcome:
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        body = b'{"access_token": "t%d", "expires_in": 600}' % self.asked
        return DOWN if self.down else Answered("p", "a", response(200, (), body), Execution.DONE)


async def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    """Then there is a new one."""
    server = Server()
    assert [await server.tokens.get() for _ in range(3)] == [b"t1"] * 3
    server.clock.advance(539.0)
    assert await server.tokens.get() == b"t1"
    server.clock.advance(1.0)
    assert await server.tokens.get() == b"t2"


async def test_however_many_wait_there_is_one_request() -> None:
    """One of them being cancelled stops it for none of the others."""
    server = Server()
    server.gate = asyncio.Event()
    waiting = [asyncio.ensure_future(server.tokens.get()) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    server.gate.set()
    assert await asyncio.gather(*waiting[1:]) == [b"t1"] * 4
    assert server.asked == 1


async def test_a_token_that_is_not_taken_any_more_is_dropped_once() -> None:
    """Whoever still has the old one does not drop the new one."""
    server = Server()
    assert await server.tokens.get() == b"t1"
    server.tokens.drop(b"t1")
    assert await server.tokens.get() == b"t2"
    server.tokens.drop(b"t1")
    assert await server.tokens.get() == b"t2"


async def test_who_gives_no_tokens_is_not_besieged() -> None:
    """A second between two tries, however many calls are in doubt."""
    server = Server()
    server.down = True
    for _ in range(10):
        assert await server.tokens.get() is None
    assert server.asked == 1
    server.down = False
    server.clock.advance(1.0)
    assert await server.tokens.get() == b"t2"

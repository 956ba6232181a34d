"""Rules for asking partners about what is in doubt."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

from proxy.idempotency.journal import Journal
from proxy.idempotency.record import State, Verdict
from proxy.idempotency.seal import Sealer, unpack
from proxy.idempotency.settle import Settler
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome
from proxy.model.phase import Phase
from tests.support.manual_clock import ManualClock
from tests.support.values import response
from tests.unit.idempotency.stores import MemoryStore
from tests.unit.idempotency.values import DOUBT, INQUIRY, fence, wanted

FOUND = b'{"payments": [{"state": "paid"}]}'
EMPTY = b'{"payments": []}'
LOST = InDoubt("acme", "a", Phase.FIRST_BYTE, "timeout", Origin.PARTNER)


class Desk:
    """Rows in doubt, and a partner that can be asked."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore(self.clock)
        journal = Journal(self.store, asyncio.get_running_loop(), 1.0, lambda _: None)
        self.journal = journal
        self.sealer = Sealer({"k": b"k" * 32})
        self.asked: list[tuple[str, bytes]] = []
        self.answer: Outcome = LOST
        self.settler = Settler(
            journal, self.sealer, {("a", "authorize"): INQUIRY}, self._ask, self.clock,
            random.Random(1),
        )  # fmt: skip

    async def _ask(self, upstream: str, target: bytes) -> Outcome:
        self.asked.append((upstream, target))
        return self.answer

    def says(self, status: int, body: bytes) -> None:
        """What the partner answers from now on."""
        self.answer = Answered("acme", "a", response(status, (), body), Execution.DONE)

    async def doubt(self, key: str, reference: str = "r 1", upstream: str = "a") -> bytes:
        """A row in doubt."""
        _, row = await self.store.claim(wanted(key, reference=reference))
        await self.store.step(row.id, row.token, fence(upstream=upstream))
        await self.store.step(row.id, row.token, DOUBT)
        return row.id


@pytest.fixture
async def desk() -> Desk:
    """A desk with nothing on it."""
    return Desk()


async def test_what_the_partner_has_is_settled_with_its_answer(desk: Desk) -> None:
    """The application's retry gets it."""
    row_id = await desk.doubt("k1")
    desk.says(200, FOUND)
    await desk.settler.settle_all()
    assert desk.asked == [("a", b"/p?ref=r%201")]
    row = desk.store.rows[row_id]
    assert (row.state, row.reason, row.status) == (State.SETTLED, "found_by_inquiry", 200)
    assert unpack(desk.sealer.open(row_id, row.answer)).body == FOUND


async def test_what_the_partner_never_got_is_freed_once_that_is_certain(desk: Desk) -> None:
    """It may still be on its way for a while."""
    row_id = await desk.doubt("k1")
    desk.says(200, EMPTY)
    await desk.settler.settle_all()
    assert desk.store.rows[row_id].state is State.IN_DOUBT
    desk.clock.advance(60.0)
    await desk.settler.settle_all()
    assert desk.store.rows[row_id].state is State.RELEASED
    assert (await desk.store.claim(wanted("k1")))[0] is Verdict.RUN


async def test_a_partner_that_does_not_answer_is_asked_less_and_less(desk: Desk) -> None:
    """With jitter, and never less than once a minute."""
    await desk.doubt("k1")
    for _ in range(600):
        await desk.settler.settle_all()
        desk.clock.advance(1.0)
    assert 10 <= len(desk.asked) <= 40
    desk.asked.clear()
    for _ in range(61):
        await desk.settler.settle_all()
        desk.clock.advance(1.0)
    assert 1 <= len(desk.asked) <= 3


async def test_only_those_who_can_be_asked_are_asked(desk: Desk) -> None:
    """A row without reference, and one at an upstream without inquiry, wait for an operator."""
    await desk.doubt("k1", reference="")
    await desk.doubt("k2", upstream="b")
    await desk.settler.settle_all()
    assert desk.asked == []


async def test_all_pages_are_gone_through(desk: Desk) -> None:
    """Also behind rows that cannot be settled."""
    for number in range(450):
        await desk.doubt(f"k{number}")
        desk.clock.advance(0.001)
    desk.says(200, FOUND)
    await desk.settler.settle_all()
    assert len(desk.asked) == 450
    assert {row.state for row in desk.store.rows.values()} == {State.SETTLED}


async def test_news_about_a_call_that_is_repeated_meanwhile_is_dropped(desk: Desk) -> None:
    """The repetition learns for itself."""
    row_id = await desk.doubt("k1")
    row = replace(desk.store.rows[row_id])
    desk.store.rows[row_id] = replace(row, token=row.token + 1)
    desk.says(200, FOUND)
    await desk.settler.settle(row)
    assert desk.store.rows[row_id].state is State.IN_DOUBT


async def test_it_goes_on_when_the_journal_was_away(desk: Desk) -> None:
    """Until it is cancelled."""
    row_id = await desk.doubt("k1")
    desk.says(200, FOUND)
    desk.store.down = True
    running = asyncio.ensure_future(desk.settler.run())
    await asyncio.sleep(0.01)
    desk.store.down = False
    for _ in range(300):
        if desk.store.rows[row_id].state is State.SETTLED:
            break
        await asyncio.sleep(0.01)
    assert desk.store.rows[row_id].state is State.SETTLED
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_with_nobody_to_ask_it_ends(desk: Desk) -> None:
    """It costs nothing where no inquiry is configured."""
    idle = Settler(desk.journal, desk.sealer, {}, desk._ask, desk.clock, random.Random(1))
    await asyncio.wait_for(idle.run(), 1.0)

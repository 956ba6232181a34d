"""Rules for duplicates: how they are counted, and what a replay may hold."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from proxy.idempotency.record import Settle
from proxy.idempotency.seal import Sealer
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Refused
from proxy.model.phase import Phase
from tests.unit.idempotency.house import House, done, refused
from tests.unit.idempotency.values import KEYED

LOST = InDoubt("acme", "a", Phase.FIRST_BYTE, "timeout", Origin.PARTNER)


async def test_duplicates_are_counted_by_their_row() -> None:
    """Replays, other requests and busy keys; a first call is none."""
    house = House(rule=replace(KEYED, wait_s=0.0))
    house.answers, house.gate = [done()], asyncio.Event()
    first = asyncio.ensure_future(house.ask())
    while not house.sent:
        await asyncio.sleep(0)
    assert refused(await house.ask())[0] == "key_busy"
    house.gate.set()
    await first
    house.clock.advance(5.0)
    await house.ask()
    assert refused(await house.ask(body=b'{"other": 1}'))[0] == "key_reused"
    await house.journal.close(1.0)
    (row,) = house.store.rows.values()
    assert (row.blocked, row.blocked_at) == (3, house.clock.wall())


async def test_a_call_in_doubt_blocks_its_repetition_and_counts_it() -> None:
    """Nothing was sent for it."""
    house = House()
    house.answers = [LOST]
    await house.ask()
    assert refused(await house.ask())[0] == "in_doubt"
    await house.journal.blocked.write()
    (row,) = house.store.rows.values()
    assert (row.blocked, len(house.sent)) == (1, 1)


async def test_a_replay_has_everything_but_the_cards_secrets() -> None:
    """The first caller gets what the partner said."""
    house = House()
    house.answers = [done(body=b'{"id": 1, "cvv": "737"}')]
    first, again = await house.ask(), await house.ask()
    assert isinstance(first, Answered)
    assert isinstance(again, Answered)
    assert first.response.body == b'{"id": 1, "cvv": "737"}'
    assert again.response.body == b'{"id": 1}'
    assert again.replayed


async def test_an_answer_that_must_not_be_stored_is_known_to_be_done() -> None:
    """Its duplicates hear so, and nothing is sent for them."""
    house = House()
    house.answers = [done(body=b"<r><cvv>737</cvv></r>")]
    assert isinstance(await house.ask(), Answered)
    assert refused(await house.ask()) == ("answer_not_stored", 409, Execution.DONE)
    assert len(house.sent) == 1


@pytest.mark.parametrize(
    ("reason", "settled_by", "has_answer"),
    [
        ("found_by_inquiry", "inquiry", True),
        ("found_by_inquiry", "inquiry", False),
        ("resolved", "operator", False),
        ("webhook", "webhook", False),
    ],
)
async def test_a_replay_says_who_settled_the_call(
    reason: str, settled_by: str, has_answer: bool
) -> None:
    """With the row's reason, where there is an answer: it is not the one that the call got."""
    house = House()
    house.answers = [LOST]
    await house.ask()
    (row,) = house.store.rows.values()
    sealer = Sealer({"k": b"k" * 32})
    answer = sealer.seal_answer(row.id, done().response) if has_answer else b""
    await house.store.step(row.id, row.token, Settle(200, reason, answer))
    again = await house.ask()
    assert isinstance(again, Answered if has_answer else Refused)
    assert isinstance(again, Answered | Refused)
    assert again.settled_by == settled_by
    assert again.reason == (reason if has_answer else "resolved_done")
    assert again.execution is Execution.DONE

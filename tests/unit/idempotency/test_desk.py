"""Rules for what a journal at work tells, and for the news that it takes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from proxy.idempotency.desk import Desk
from proxy.idempotency.journal import Journal
from proxy.idempotency.record import Release, Settle, State
from tests.support.manual_clock import ManualClock
from tests.unit.idempotency.stores import MemoryStore
from tests.unit.idempotency.values import row, wanted


class Office:
    """A desk in front of a store in memory; `tell` and `take` as the listener asks."""

    def __init__(self, *states: State) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore(self.clock)
        for number, state in enumerate(states):
            self.put(state, key=f"k{number}")
        self.journal = Journal(self.store, asyncio.get_running_loop(), 0.05, lambda _: None)
        self.desk = Desk(self.journal, self.clock.wall)

    def put(self, state: State, **over: Any) -> bytes:
        """A row more."""
        made = row(state, **over)
        self.store.rows[made.id] = made
        return made.id

    async def tell(self, key: str, tenant: str | None = None, operation: str | None = None) -> Any:
        """The status, and the reason or the states."""
        return _short(*await self.desk.tell(key, tenant, operation))

    async def take(self, execution: str = "done", key: str = "k0", **over: Any) -> Any:
        """The status, and the reason or the states."""
        news = {"execution": execution, "reason": "event evt_1", **over}
        return _short(*await self.desk.take(key, None, None, news))


def _short(status: int, document: dict[str, Any]) -> tuple[int, Any]:
    if status != 200:
        assert document["status"] == status
        return status, document["reason"]
    assert document["schema"] == 1
    return status, [each["state"] for each in document["calls"]]


async def test_a_call_is_told_of_by_key_or_id() -> None:
    """With the members of the reports; a call that is not there is 404."""
    office = Office(State.SETTLED)
    assert await office.tell("k0") == (200, ["settled"])
    assert await office.tell(wanted("k0").id.hex()[:8]) == (200, ["settled"])
    assert await office.tell("k9") == (404, "no_call")
    _, document = await office.desk.tell("k0", None, None)
    assert document["calls"][0]["answer_stored"] is True
    assert "sealed" not in repr(document)


async def test_tenant_and_operation_say_which_of_several() -> None:
    """A key may be used by each tenant, for each operation."""
    office = Office(State.SETTLED)
    scope = wanted("k0").scope
    other = type(scope)("shop", "acme", "refund", "k0")
    office.put(State.IN_DOUBT, id=b"o" * 16, scope=other)
    assert await office.tell("k0") == (200, ["settled", "in_doubt"])
    assert await office.tell("k0", "shop") == (200, ["in_doubt"])
    assert await office.tell("k0", None, "authorize") == (200, ["settled"])
    assert await office.tell("k0", "shop", "authorize") == (404, "no_call")
    assert await office.take() == (409, "ambiguous")
    assert await office.take(id=(b"o" * 16).hex().upper()) == (200, ["settled"])
    assert await office.take(id="ab" * 16) == (404, "no_call")


@pytest.mark.parametrize(
    ("execution", "state", "made"),
    [
        ("done", State.SETTLED, Settle(0, "webhook", b"", "event evt_1")),
        ("none", State.RELEASED, Release("webhook", of_all=True, note="event evt_1")),
    ],
)
async def test_news_ends_a_doubt_and_may_come_twice(
    execution: str, state: State, made: Settle | Release
) -> None:
    """It is written once, with its reason."""
    office = Office(State.IN_DOUBT)
    for _ in range(2):
        assert await office.take(execution) == (200, [state.value])
    assert office.store.steps == [made]
    (after,) = office.store.rows.values()
    assert (after.note, after.reason) == ("event evt_1", "webhook")


async def test_news_may_know_the_status_and_an_operator_is_told_apart() -> None:
    """What the partner would have answered."""
    office = Office(State.IN_DOUBT)
    await office.take(status=201, by="operator")
    assert office.store.steps == [Settle(201, "resolved", b"", "event evt_1", by_operator=True)]


@pytest.mark.parametrize(
    ("state", "execution", "answer"),
    [
        (State.SETTLED, "done", (200, ["settled"])),
        (State.SETTLED, "none", (409, "contradiction")),
        (State.RELEASED, "none", (200, ["released"])),
        (State.RELEASED, "done", (409, "contradiction")),
        (State.CLAIMED, "none", (409, "at_work")),
        (State.SENDING, "done", (409, "at_work")),
    ],
)
async def test_only_a_doubt_is_ended_by_news(state: State, execution: str, answer: Any) -> None:
    """What ended stays as it is, and what is at work ends by itself."""
    office = Office(state)
    assert await office.take(execution) == answer
    assert office.store.steps == []


async def test_news_waits_while_the_call_is_repeated() -> None:
    """Here, or by somebody who has taken the row over in between."""
    office = Office(State.IN_DOUBT)
    run = office.journal.runs.begin(wanted("k0").id)
    assert await office.take() == (409, "at_work")
    office.journal.runs.end(run)
    office.store.gate = asyncio.Event()
    taking = asyncio.ensure_future(office.take())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    office.store.rows[wanted("k0").id].token += 1
    office.store.gate.set()
    assert await taking == (409, "at_work")


async def test_a_journal_that_is_away_confirms_nothing() -> None:
    """Whoever brings news brings it again."""
    office = Office(State.IN_DOUBT)
    office.store.gate = asyncio.Event()
    assert await office.take() == (503, "unavailable")
    office.store.gate.set()
    await asyncio.sleep(0)
    office.store.down = True
    assert await office.take() == (503, "unavailable")
    assert await office.tell("k0") == (503, "unavailable")


async def test_what_is_in_doubt_is_listed_and_nothing_else() -> None:
    """With the members of the reports; a journal that is away is said."""
    office = Office(State.SETTLED, State.IN_DOUBT, State.SENDING, State.IN_DOUBT)
    status, document = await office.desk.doubts()
    assert (status, document["schema"]) == (200, 1)
    assert {each["key"] for each in document["calls"]} == {"k1", "k3"}

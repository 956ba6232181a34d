"""`proxy.idempotency.claim`: finding the partner of a payment, and not finding it in time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from proxy.idempotency.record import State
from proxy.model.affinity import Affinity, Name, Named, Place, Remember
from proxy.model.outcome import InDoubt, Origin
from proxy.model.phase import Phase
from tests.unit.idempotency.house import House, done, state

BODY = b'{"reference": "order-1"}'
REFERENCE = Name("default", "payments", Named.REFERENCE, "order-1")
PAYMENT = Name("default", "payments", Named.PAYMENT, "ch_1")


def house() -> House:
    """Its route remembers both names."""
    made = House()
    remember = Affinity(remember=Remember("payments", "/reference", "/id"))
    made.route = replace(made.route, affinity=remember)
    return made


async def test_a_payment_is_found_by_both_its_names() -> None:
    """As soon as its answer is told; by no other name."""
    at = house()
    at.answers = [done(body=b'{"id": "ch_1"}')]
    await at.ask(body=BODY)
    assert await at.claims.find(REFERENCE) == await at.claims.find(PAYMENT) == [("acme", "a")]
    assert await at.claims.find(replace(PAYMENT, text="ch_2")) == []
    assert await at.claims.find(replace(PAYMENT, tenant="other")) == []


async def test_what_is_in_doubt_is_found_by_its_reference() -> None:
    """Its answer never came, so nobody knows the partner's name of it."""
    at = house()
    at.answers = [InDoubt("acme", "a", Phase.BODY, "reset", Origin.NETWORK)]
    await at.ask(body=BODY)
    assert state(at) is State.IN_DOUBT
    assert await at.claims.find(REFERENCE) == [("acme", "a")]


async def test_a_journal_that_cannot_be_read_says_so() -> None:
    """Which is not that there is no such payment."""
    at = house()
    at.store.down = True
    assert await at.claims.find(REFERENCE) is None
    at.store.down, at.store.takes_claims = False, False
    assert await at.claims.find(REFERENCE) is None


async def test_a_lookup_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that hangs holds no call for longer than a change may take."""
    at = house()
    hangs = asyncio.Event()

    async def linked(link: bytes) -> list[Place]:
        await hangs.wait()
        return []

    monkeypatch.setattr(at.store, "linked", linked)
    assert await asyncio.wait_for(at.claims.find(REFERENCE), 5.0) is None
    hangs.set()

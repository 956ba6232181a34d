"""Rules for finding a payment by its links, run against each store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.idempotency.record import Release, Settle, State
from proxy.idempotency.store import Store
from proxy.model.affinity import PLACES_MAX
from tests.contract.places import Place
from tests.unit.idempotency.values import DOUBT, RELEASE, SETTLE, fence, wanted

ASKED, TOLD = b"a" * 16, b"t" * 16
LINKED = replace(SETTLE, link=TOLD)


async def made(store: Store, key: str, *, at: str = "a", partner: str = "acme") -> None:
    """A payment with both links, settled at an upstream."""
    _, row = await store.claim(wanted(key, link=ASKED))
    await store.step(row.id, row.token, fence(upstream=at, partner=partner))
    await store.step(row.id, row.token, LINKED)


async def test_a_payment_is_found_by_either_link_over_a_restart(place: Place) -> None:
    """It became durable with the answer, in one commit; both stand on the row."""
    await made(place.store, "a", at="b", partner="other")
    again = await place.begin()
    for link in (ASKED, TOLD):
        assert await again.linked(link) == [("other", "b")]
    assert await again.linked(b"x" * 16) == []


async def test_nothing_is_found_by_no_link(store: Store) -> None:
    """Rows without links are no match for an empty one."""
    _, row = await store.claim(wanted())
    await store.step(row.id, row.token, fence())
    await store.step(row.id, row.token, SETTLE)
    assert await store.linked(b"") == []


async def test_what_is_in_doubt_is_found_where_it_was_sent(store: Store) -> None:
    """A void belongs there; of a call at work nobody knows yet where it will end."""
    _, row = await store.claim(wanted(link=ASKED))
    assert await store.linked(ASKED) == []
    await store.step(row.id, row.token, fence())
    assert await store.linked(ASKED) == []
    await store.step(row.id, row.token, DOUBT)
    assert await store.linked(ASKED) == [("acme", "a")]


@pytest.mark.parametrize("ending", [RELEASE, Settle(402, "answered", b"sealed")])
async def test_what_made_no_payment_leads_nowhere(store: Store, ending: Release | Settle) -> None:
    """It was proven not executed, or it was declined; the next try may be elsewhere."""
    _, row = await store.claim(wanted("a", link=ASKED))
    await store.step(row.id, row.token, fence())
    await store.step(row.id, row.token, ending)
    assert await store.linked(ASKED) == []
    await made(store, "b", at="b", partner="other")
    assert await store.linked(ASKED) == [("other", "b")]


async def test_a_key_that_is_used_anew_has_the_links_of_its_new_call(store: Store) -> None:
    """The request under it may be another one."""
    _, row = await store.claim(wanted(link=ASKED))
    await store.step(row.id, row.token, RELEASE)
    _, again = await store.claim(wanted(link=b"n" * 16, salt=7))
    await store.step(again.id, again.token, fence(attempt=2))
    settled = await store.step(again.id, again.token, SETTLE)
    assert (settled.state, settled.link_request) == (State.SETTLED, b"n" * 16)
    assert await store.linked(ASKED) == []
    assert await store.linked(b"n" * 16) == [("acme", "a")]


async def test_links_go_with_their_row(store: Store) -> None:
    """What was purged is not found."""
    await made(store, "a")
    assert await store.purge(-1.0, 10) == 1
    assert await store.linked(ASKED) == []


async def test_a_name_of_very_many_calls_is_read_in_part(store: Store) -> None:
    """So that no lookup grows with the journal."""
    for number in range(PLACES_MAX + 3):
        await made(store, f"k{number}")
    assert len(await store.linked(ASKED)) == PLACES_MAX

"""Rules for what every store tells of many rows, and for what is done to many at once."""

from __future__ import annotations

from proxy.idempotency.store import Query, Store
from tests.contract.places import settled
from tests.unit.idempotency.values import DOUBT, RELEASE, fence, wanted


async def test_a_call_is_named_by_key_or_by_the_beginning_of_its_id(store: Store) -> None:
    """In every scope; what is too short, and half a key, names nobody."""
    known = [await settled(store, wanted("k1")), await settled(store, wanted("k2"))]
    digits = known[0].id.hex()
    for name in ("k1", digits, digits[:9], digits[:6].upper()):
        assert await store.named(name) == [known[0]], name
    for name in ("k", "K1", digits[:5], digits + "0", "", "k1' OR 1=1"):
        assert await store.named(name) == [], name


async def test_what_has_no_end_is_counted_by_kind(store: Store) -> None:
    """With the oldest of each kind, and how many were sent before an instant."""
    _, begun = await store.claim(wanted("a"))
    for key in "bc":
        _, row = await store.claim(wanted(key))
        await store.step(row.id, row.token, fence())
        lost = await store.step(row.id, row.token, DOUBT)
    await settled(store, wanted("d"))
    found = {each.state: each for each in await store.unsettled(lost.sent_at + 60.0)}
    assert set(found) == {"claimed", "in_doubt"}
    doubts = found["in_doubt"]
    assert (doubts.partner, doubts.upstream, doubts.operation) == ("acme", "a", "authorize")
    assert (doubts.number, doubts.old) == (2, 2)
    assert doubts.oldest_at <= lost.sent_at
    assert found["claimed"].oldest_at == begun.claimed_at
    assert sum(each.old for each in await store.unsettled(1.0)) == 0


async def test_duplicates_are_added_to_their_rows(store: Store) -> None:
    """State and token stay; a row at work goes on; one that is not there is passed over."""
    done = await settled(store, wanted("a"))
    _, work = await store.claim(wanted("b"))
    await store.note_blocked({done.id: (2, 5.0), work.id: (1, 9.0), b"x" * 16: (1, 1.0)})
    await store.note_blocked({done.id: (1, 3.0)})
    after = await store.read(done.id)
    assert after is not None
    assert (after.blocked, after.blocked_at) == (3, 5.0)
    assert (after.state, after.token) == (done.state, done.token)
    await store.step(work.id, work.token, fence())
    await store.step(work.id, work.token, RELEASE)
    await store.claim(wanted("b"))
    found = await store.find(Query(blocked=True))
    assert {row.scope.key: row.blocked for row in found} == {"a": 3, "b": 1}


async def test_answers_are_sealed_anew_a_few_at_a_time(store: Store) -> None:
    """Each once; a row without an answer is passed over."""
    rows = [await settled(store, wanted(key)) for key in "abc"]
    await store.claim(wanted("d"))
    seen: list[bytes] = []

    def again(row_id: bytes, sealed: bytes) -> bytes | None:
        seen.append(row_id)
        return None if row_id == rows[1].id else b"anew " + sealed

    after, number = await store.reseal(again, 3, b"")
    while after:
        after, more = await store.reseal(again, 3, after)
        number += more
    assert (number, sorted(seen)) == (2, sorted(row.id for row in rows))
    answers = [(await store.claim(wanted(key)))[1].answer for key in "abc"]
    assert answers == [b"anew sealed", b"sealed", b"anew sealed"]

"""Rules for every store of the journal, run against each of them."""

from __future__ import annotations

import asyncio

import pytest

from proxy.idempotency.record import (
    JournalError,
    Release,
    State,
    Step,
    Superseded,
    Verdict,
)
from proxy.idempotency.settling import Mark, Reverse, Settling
from proxy.idempotency.store import Query, Store
from tests.contract.places import Place, settled
from tests.unit.idempotency.values import DOUBT, RELEASE, SETTLE, fence, wanted


async def test_a_payment_from_claim_to_answer(place: Place) -> None:
    """And its answer for everybody who asks again, also after a restart; every column as it was."""
    store = place.store
    verdict, row = await store.claim(wanted(reference="order-1"))
    assert verdict is Verdict.RUN
    assert (await store.claim(wanted()))[0] is Verdict.BUSY
    await store.step(row.id, row.token, fence())
    done = await store.step(row.id, row.token, SETTLE)
    assert (await store.claim(wanted())) == (Verdict.REPLAY, done)
    again = await place.begin()
    assert (await again.claim(wanted())) == (Verdict.REPLAY, done)
    assert await again.read(row.id) == done
    assert (done.reference, done.answer, done.fingerprint) == ("order-1", b"sealed", b"f" * 32)
    assert await again.read(b"x" * 16) is None


async def test_a_claim_with_its_first_fence_is_one_change(place: Place) -> None:
    """When it is told, the attempt may be sent: a run that dies then leaves it in doubt."""
    first = fence(send_by=1.0)
    claimed = [await place.store.claim(wanted(owner="run-1", fence=first)) for _ in range(2)]
    assert [verdict for verdict, _ in claimed] == [Verdict.RUN, Verdict.BUSY]
    taken = claimed[0][1]
    assert (taken.state, taken.upstream) == (State.SENDING, "a")
    left = await (await place.begin()).read(taken.id)
    assert left is not None
    assert (left.state, left.reason, left.attempt) == (State.IN_DOUBT, "crashed", 1)


async def test_one_of_many_gets_the_key(store: Store) -> None:
    """The others find it at work."""
    claims = [store.claim(wanted(call=f"call-{number}")) for number in range(40)]
    verdicts = [verdict for verdict, _ in await asyncio.gather(*claims)]
    assert sorted(verdicts) == sorted([Verdict.RUN] + [Verdict.BUSY] * 39)


async def test_steps_that_must_not_be_are_told(store: Store) -> None:
    """By the same exceptions as the transitions raise, and nothing is changed."""
    _, row = await store.claim(wanted())
    with pytest.raises(Superseded):
        await store.step(row.id, row.token + 1, RELEASE)
    with pytest.raises(JournalError):
        await store.step(row.id, row.token, SETTLE)
    with pytest.raises(JournalError):
        await store.step(b"x" * 16, 1, RELEASE)
    assert await store.read(row.id) == row


async def test_a_released_key_is_free_for_another_request(store: Store) -> None:
    """Under a new token, so that whoever had it before changes nothing any more."""
    _, row = await store.claim(wanted())
    await store.step(row.id, row.token, RELEASE)
    verdict, taken = await store.claim(wanted(fingerprint=b"g" * 32, salt=7))
    assert (verdict, taken.state) == (Verdict.RUN, State.CLAIMED)
    assert taken.token > row.token
    with pytest.raises(Superseded):
        await store.step(row.id, row.token, fence())


async def test_another_request_under_a_used_key_is_told(store: Store) -> None:
    """Whether the first one ended or not."""
    await settled(store, wanted("a"))
    await store.claim(wanted("b"))
    for key in "ab":
        assert (await store.claim(wanted(key, fingerprint=b"g" * 32)))[0] is Verdict.MISMATCH


async def test_what_is_in_doubt_is_repeated_where_that_is_safe(store: Store) -> None:
    """And only there; the repetition settles it."""
    _, row = await store.claim(wanted())
    await store.step(row.id, row.token, fence())
    await store.step(row.id, row.token, DOUBT)
    assert (await store.claim(wanted(resend_s={})))[0] is Verdict.IN_DOUBT
    assert (await store.claim(wanted(resend_s={"b": 60.0})))[0] is Verdict.IN_DOUBT
    verdict, again = await store.claim(wanted())
    assert (verdict, again.token > row.token) == (Verdict.RESEND, True)
    await store.step(row.id, again.token, fence(attempt=2))
    done = await store.step(row.id, again.token, SETTLE)
    assert (done.state, done.attempt, done.doubts) == (State.SETTLED, 2, 1)


async def test_what_was_left_at_work_is_resumed(place: Place) -> None:
    """Unsent keys are free, sent ones in doubt; settled ones stay."""
    sent = fence(send_by=1.0)
    lives: dict[str, list[Step]] = {"a": [], "b": [sent], "c": [sent, SETTLE]}
    for key, steps in lives.items():
        _, row = await place.store.claim(wanted(key, owner="run-1"))
        for made in steps:
            await place.store.step(row.id, row.token, made)
    again = await place.begin()
    verdicts = [(await again.claim(wanted(key, resend_s={})))[0] for key in "abc"]
    assert verdicts == [Verdict.RUN, Verdict.IN_DOUBT, Verdict.REPLAY]
    assert await again.counts() == {State.CLAIMED: 1, State.IN_DOUBT: 1, State.SETTLED: 1}
    mine = await again.find(Query(states=(State.IN_DOUBT,), mine=True))
    assert [row.scope.key for row in mine] == ["b"]


async def test_only_what_ended_is_purged_oldest_first_and_bounded(store: Store) -> None:
    """What is at work or in doubt stays for as long as it takes."""
    for key in "abc":
        await settled(store, wanted(key))
    _, doubtful = await store.claim(wanted("d"))
    await store.step(doubtful.id, doubtful.token, fence())
    await store.step(doubtful.id, doubtful.token, DOUBT)
    await store.claim(wanted("e"))
    assert await store.purge(3600.0, 100) == 0
    assert await store.purge(-60.0, 2) == 2
    assert await store.read(wanted("c").id) is not None
    assert await store.purge(-60.0, 2) == 1
    assert await store.purge(-60.0, 2) == 0
    assert await store.counts() == {State.IN_DOUBT: 1, State.CLAIMED: 1}


async def test_rows_are_found_by_page_state_and_partner(store: Store) -> None:
    """Oldest first; a page begins behind the last row of the one before."""
    rows = [await settled(store, wanted(key)) for key in "abcde"]
    _, row = await store.claim(wanted("f"))
    await store.step(row.id, row.token, Release("refused"))
    rows.sort(key=lambda each: (each.changed_at, each.id))
    first = await store.find(Query(states=(State.SETTLED,), limit=3))
    assert list(first) == rows[:3]
    after = (first[-1].changed_at, first[-1].id)
    assert list(await store.find(Query(states=(State.SETTLED,), limit=3, after=after))) == rows[3:]
    assert list(await store.find(Query(partner="acme"))) == rows
    assert list(await store.find(Query(partner="other"))) == []
    window = Query(changed_from=rows[1].changed_at, changed_to=rows[2].changed_at)
    found = await store.find(window)
    assert {rows[1].id, rows[2].id} <= {each.id for each in found}
    assert all(rows[1].changed_at <= each.changed_at <= rows[2].changed_at for each in found)


async def test_an_open_store_takes_claims_and_nothing_waits(store: Store) -> None:
    """Before, and after a change."""
    assert (store.takes_claims, store.waiting_s()) == (True, 0.0)
    await store.claim(wanted())
    assert (store.takes_claims, store.waiting_s()) == (True, 0.0)


async def test_the_instant_never_goes_back(store: Store) -> None:
    """And counts seconds."""
    first = store.instant()
    await asyncio.sleep(0.01)
    second = store.instant()
    assert second.kept > first.kept
    assert second.wall >= first.wall


async def test_a_reversal_that_was_begun_is_known_after_a_restart(place: Place) -> None:
    """No answer is a success from then on, and giving up is remembered too."""
    store = place.store
    _, row = await store.claim(wanted())
    await store.step(row.id, row.token, fence())
    doubt = await store.step(row.id, row.token, DOUBT)
    taken = await store.step(row.id, row.token, Reverse())
    assert taken.token > doubt.token
    with pytest.raises(Superseded):
        await store.step(row.id, row.token, SETTLE)
    again = await place.begin()
    (found,) = await again.find(Query(states=(State.IN_DOUBT,)))
    assert (found.settling, found.token) == ("reversing", taken.token)
    assert (await again.claim(wanted()))[0] is Verdict.IN_DOUBT
    with pytest.raises(Superseded):
        await again.step(row.id, taken.token, SETTLE)
    await again.step(row.id, taken.token, Mark(Settling.UNREVERSED, "gave up"))
    left = await again.read(row.id)
    assert left is not None
    assert (left.settling, left.note) == ("unreversed", "gave up")
    await again.step(row.id, taken.token, Release("reversed", of_all=True))
    assert (await again.claim(wanted()))[0] is Verdict.RUN

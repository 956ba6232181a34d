"""Rules for what operators ask of a shared journal, beside its sidecars."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest

from loadtests.incidents.postgres import PostgresServer
from proxy.idempotency import operator
from proxy.idempotency.postgres_operator import SharedSource
from proxy.idempotency.record import JournalError, State, Superseded, Verdict
from proxy.idempotency.seal import Sealer
from proxy.idempotency.store import Query
from proxy.model.errors import StartError
from tests.support.postgres import Sidecars
from tests.unit.idempotency.values import DOUBT, SETTLE, fence, wanted

T = TypeVar("T")
OLD, NEW = {"old": b"o" * 32}, {"new": b"n" * 32}


async def told(what: Callable[[], T]) -> T:
    """What a command says; it has a loop of its own, so it runs in a thread."""
    return await asyncio.to_thread(what)


async def test_calls_are_listed_and_named(
    sidecars: Sidecars, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page after page, while a sidecar works."""
    monkeypatch.setattr(operator, "_PAGE", 1)
    store, source = await sidecars.join(), SharedSource(sidecars.url)
    for key in "abc":
        await store.claim(wanted(key))
    assert len(await told(lambda: list(source.rows(Query())))) == 3
    assert len(await told(lambda: list(source.rows(Query(limit=2))))) == 2
    assert await told(lambda: list(source.rows(Query(states=(State.SETTLED,))))) == []
    (named,) = await told(lambda: source.named("b"))
    assert named.scope.key == "b"


@pytest.mark.parametrize(
    ("done", "verdict"), [(True, Verdict.REPLAY), (False, Verdict.RUN)], ids=["done", "none"]
)
async def test_an_operators_word_ends_a_doubt(
    sidecars: Sidecars, done: bool, verdict: Verdict
) -> None:
    """The sidecar that was about to repeat the call does not; the reason is on record."""
    store, source = await sidecars.join(), SharedSource(sidecars.url)
    _, row = await store.claim(wanted())
    await store.step(row.id, row.token, fence())
    await store.step(row.id, row.token, DOUBT)
    _, repeated = await store.claim(wanted(salt=7))
    after = await told(lambda: source.resolve(row.id, done=done, reason="by phone", wall=9.0))
    assert (after.note, after.reason) == ("by phone", "resolved")
    with pytest.raises(Superseded):
        await store.step(row.id, repeated.token, fence(attempt=2))
    assert (await store.claim(wanted()))[0] is verdict


async def test_only_a_doubt_is_ended(sidecars: Sidecars) -> None:
    """Neither what is at work somewhere, nor what has ended, nor what is not there."""
    store, source = await sidecars.join(), SharedSource(sidecars.url)
    _, row = await store.claim(wanted())
    for made in (fence(), SETTLE):
        with pytest.raises(StartError, match="at work"):
            await told(lambda: source.resolve(row.id, done=True, reason="x", wall=9.0))
        await store.step(row.id, row.token, made)
    with pytest.raises(JournalError, match="cannot follow"):
        await told(lambda: source.resolve(row.id, done=False, reason="x", wall=9.0))
    with pytest.raises(StartError, match="no call"):
        await told(lambda: source.resolve(b"x" * 16, done=True, reason="x", wall=9.0))


async def test_answers_are_sealed_anew_while_sidecars_work(sidecars: Sidecars) -> None:
    """And open with the new key alone."""
    store, source = await sidecars.join(), SharedSource(sidecars.url)
    _, row = await store.claim(wanted())
    await store.step(row.id, row.token, fence())
    sealed = Sealer(OLD).seal(row.id, b"answer")
    await store.step(row.id, row.token, type(SETTLE)(200, "answered", sealed))
    done = await told(lambda: source.reseal({**NEW, **OLD}, lambda _: None))
    assert (done.changed, done.unreadable) == (1, 0)
    replayed = (await store.claim(wanted()))[1]
    assert Sealer(NEW).open(row.id, replayed.answer) == b"answer"


def test_a_server_that_is_not_there_is_named_without_its_password(
    postgres_server: PostgresServer,
) -> None:
    """In one sentence, whatever was asked."""
    url = postgres_server.url("nowhere")
    source = SharedSource(url)
    for asked in (
        lambda: list(source.rows(Query())),
        lambda: source.named("k1"),
        lambda: source.reseal(NEW, lambda _: None),
    ):
        with pytest.raises(StartError, match=r"nowhere cannot be used"):
            asked()


async def test_without_tables_the_remedy_is_to_migrate(database: str) -> None:
    """Not a number of the server's."""
    with pytest.raises(StartError, match="run `tidegate journal migrate` once"):
        await asyncio.to_thread(SharedSource(database).named, "key")

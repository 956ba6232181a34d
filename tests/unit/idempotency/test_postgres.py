"""Rules for the shared store that no other store has: several sidecars, and a server that fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from loadtests.incidents.postgres import PostgresServer
from proxy.idempotency.journal import Journal
from proxy.idempotency.postgres import PostgresStore
from proxy.idempotency.postgres_wire import Lost, Unexecuted
from proxy.idempotency.record import JournalError, State, Verdict
from proxy.idempotency.store import Query, StoreUnavailable
from proxy.model.errors import StartError
from tests.support.postgres import SECRET, Sidecars, new_journal
from tests.unit.idempotency.values import SETTLE, fence, wanted


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[PostgresServer]:
    """A server to be harmed."""
    server = PostgresServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
async def harmed(own_server: PostgresServer) -> AsyncIterator[PostgresStore]:
    """A store on it that gives a statement 0.3 s."""
    url = await new_journal(own_server)
    store = PostgresStore(url, SECRET, 10.0, lambda error: pytest.fail(str(error)), timeout_s=0.3)
    await store.open()
    yield store
    own_server.thaw()
    await store.close()


async def until(what: Any) -> None:
    """Wait until it holds, for ten seconds at most."""
    for _ in range(1000):
        if what():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to hold")


# -- several sidecars ---------------------------------------------------------------------------


async def test_one_of_two_sidecars_gets_the_key(sidecars: Sidecars) -> None:
    """However they race; the other finds it at work, and the answer in the end."""
    one, two = await sidecars.join("run-1"), await sidecars.join("run-2")
    for number in range(20):
        claims = [store.claim(wanted(f"k{number}", owner=store.owner)) for store in (one, two)]
        verdicts = [verdict for verdict, _ in await asyncio.gather(*claims)]
        assert sorted(verdicts) == [Verdict.BUSY, Verdict.RUN]


# -- answers of the server that are lost ----------------------------------------------------------


class Losing:
    """Stands between the store and the wire: executes a statement, or not, and loses the answer."""

    def __init__(self, store: PostgresStore, *, executed: Sequence[bool]) -> None:
        self._wire = store._wire
        self._plan = list(executed)
        store._wire = self  # type: ignore[assignment]

    async def fetch(self, statement: str, *arguments: object) -> Sequence[tuple[Any, ...]]:
        """See Wire. Reading is spared."""
        if not self._plan or statement.startswith("SELECT"):
            return await self._wire.fetch(statement, *arguments)
        if self._plan.pop(0):
            await self._wire.fetch(statement, *arguments)
        raise Lost

    async def close(self) -> None:
        await self._wire.close()


@pytest.mark.parametrize("executed", [(True,), (False,), (False, True), (False, False)])
async def test_a_lost_answer_is_read_again(sidecars: Sidecars, executed: Sequence[bool]) -> None:
    """Claim, fence and ending come to the same, whether they were executed or not."""
    store = await sidecars.join("run-1")
    Losing(store, executed=executed)
    verdict, row = await store.claim(wanted(owner=store.owner))
    assert verdict is Verdict.RUN
    Losing(store, executed=executed)
    assert (await store.step(row.id, row.token, fence())).state is State.SENDING
    Losing(store, executed=executed)
    done = await store.step(row.id, row.token, SETTLE)
    assert await store.read(row.id) == done
    assert (await store.claim(wanted()))[0] is Verdict.REPLAY


@pytest.mark.parametrize(
    ("state", "expected"),
    [("53100", StoreUnavailable), ("25006", StoreUnavailable), ("22021", JournalError)],
)
async def test_what_a_server_refuses(
    sidecars: Sidecars, state: str, expected: type[Exception]
) -> None:
    """A full disk and a standby are a journal that is away; data it cannot hold is a bug."""
    store = await sidecars.join("run-1")

    class Refusing(Losing):
        async def fetch(self, statement: str, *arguments: object) -> Sequence[tuple[Any, ...]]:
            raise Unexecuted(state, conflict=False)

    spared = store._wire
    Refusing(store, executed=())
    with pytest.raises(expected):
        await store.claim(wanted())
    assert store.takes_claims is (expected is JournalError)
    store._wire = spared


async def test_a_conflict_is_tried_again(sidecars: Sidecars) -> None:
    """Databases that order transactions say so now and then."""
    store = await sidecars.join("run-1")
    refusals = [Unexecuted("40001", conflict=True)] * 2

    class Conflicting(Losing):
        async def fetch(self, statement: str, *arguments: object) -> Sequence[tuple[Any, ...]]:
            if refusals:
                raise refusals.pop()
            return await self._wire.fetch(statement, *arguments)

    Conflicting(store, executed=())
    assert (await store.claim(wanted(owner="run-1")))[0] is Verdict.RUN


async def test_steps_of_a_row_are_made_in_their_order(sidecars: Sidecars) -> None:
    """However long the first one waits for the server."""
    store = await sidecars.join("run-1")
    _, row = await store.claim(wanted(owner=store.owner))
    Losing(store, executed=(False, False))
    fenced = asyncio.ensure_future(store.step(row.id, row.token, fence()))
    ended = asyncio.ensure_future(store.step(row.id, row.token, SETTLE))
    assert [each.state for each in await asyncio.gather(fenced, ended)] == [
        State.SENDING,
        State.SETTLED,
    ]
    assert store._turns == {}


# -- a server that fails ---------------------------------------------------------------------------


async def test_a_killed_server_is_away_until_it_is_back(
    own_server: PostgresServer, harmed: PostgresStore
) -> None:
    """What was acknowledged is there; changes wait for it, and nothing new is claimed meanwhile."""
    _, row = await harmed.claim(wanted(owner=harmed.owner))
    await harmed.step(row.id, row.token, fence())
    own_server.kill()
    with pytest.raises(StoreUnavailable):
        await harmed.step(row.id, row.token, SETTLE)
    assert not harmed.takes_claims
    await asyncio.to_thread(own_server.start)
    await until(lambda: harmed.takes_claims)
    assert (await harmed.step(row.id, row.token, SETTLE)).state is State.SETTLED


async def test_a_frozen_server_holds_nobody(
    own_server: PostgresServer, harmed: PostgresStore
) -> None:
    """Each change ends, what waits is told, and after the thaw it goes on by itself."""
    _, row = await harmed.claim(wanted(owner=harmed.owner))
    own_server.freeze()
    stuck = [asyncio.ensure_future(harmed.claim(wanted(f"n{number}"))) for number in range(20)]
    await until(lambda: harmed.waiting_s() > 0.2)
    for each in stuck:
        with pytest.raises(StoreUnavailable):
            await each
    with pytest.raises(StoreUnavailable):
        await harmed.find(Query())
    assert (harmed.takes_claims, harmed.waiting_s()) == (False, 0.0)
    own_server.thaw()
    await until(lambda: harmed.takes_claims)
    assert (await harmed.step(row.id, row.token, fence())).state is State.SENDING


async def test_nothing_of_a_change_that_was_given_up_is_believed(
    own_server: PostgresServer, harmed: PostgresStore
) -> None:
    """It may have been made after all; the row says so, not the memory."""
    _, row = await harmed.claim(wanted(owner=harmed.owner))
    own_server.freeze()
    with pytest.raises(StoreUnavailable):
        await harmed.step(row.id, row.token, fence())
    own_server.thaw()
    await until(lambda: harmed.takes_claims)
    found = await harmed.read(row.id)
    assert found is not None
    if found.state is State.CLAIMED:
        assert (await harmed.step(row.id, row.token, fence())).state is State.SENDING
    else:
        assert found.state is State.SENDING


async def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Host, port and database; never the password."""
    url = "postgresql://someone:hunter2@127.0.0.1:1/payments"
    store = PostgresStore(url, SECRET, 10.0, lambda _: None, timeout_s=0.5)
    with pytest.raises(StartError, match=r"127\.0\.0\.1:1/payments.*does not answer") as told:
        await store.open()
    assert "hunter2" not in str(told.value)


async def test_a_claim_whose_confirmation_never_came_is_let_go(sidecars: Sidecars) -> None:
    """The server took it and was gone for longer than anybody waits: the key is free again."""
    store = await sidecars.join("run-1")
    journal = Journal(store, asyncio.get_running_loop(), 0.1, sidecars.bugs.append)

    class Gone(Losing):
        async def fetch(self, statement: str, *arguments: object) -> Sequence[tuple[Any, ...]]:
            if statement.startswith("INSERT"):
                await self._wire.fetch(statement, *arguments)
            raise Lost

    store._timeout_s, spared = 0.05, store._wire
    Gone(store, executed=())
    with pytest.raises(StoreUnavailable):
        await journal.claim(wanted(owner=store.owner, fence=fence()))
    await until(lambda: journal.owed)
    store._wire = spared
    await until(lambda: not journal.owed)
    assert (await store.claim(wanted(owner=store.owner, call="call-2")))[0] is Verdict.RUN

"""A real PostgreSQL for tests: one server for each worker, one database for each test."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from loadtests.incidents.postgres import PostgresServer
from proxy.idempotency.postgres import PostgresStore
from proxy.idempotency.postgres_schema import migrate
from proxy.idempotency.postgres_wire import Wire

SECRET = b"s" * 32
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server, shared by the tests of one worker; whoever harms it takes one of their own."""
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    yield server
    server.kill()  # a clean end writes hundreds of databases to the disk that nobody wants any more


async def new_database(server: PostgresServer) -> str:
    """The URL of an empty database."""
    name = f"test_{next(_NUMBERS)}"
    wire = Wire(server.url(), 1, 10.0)
    await wire.fetch(f"CREATE DATABASE {name}")
    await wire.close()
    return server.url(name)


async def new_journal(server: PostgresServer) -> str:
    """The URL of a database with the tables of a journal."""
    url = await new_database(server)
    wire = Wire(url, 1, 10.0)
    await migrate(wire, url)
    await wire.close()
    return url


@pytest.fixture
async def database(postgres_server: PostgresServer) -> str:
    """The URL of an empty database of this test's own."""
    return await new_database(postgres_server)


class Sidecars:
    """Stores of several sidecars on one database, closed in the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bugs: list[Exception] = []
        self._open: list[PostgresStore] = []

    async def join(self, owner: str | None = None, lease_s: float = 10.0) -> PostgresStore:
        """One more; with a name that is not this process's it cannot be proven alive or dead."""
        store = PostgresStore(
            self.url, SECRET, lease_s, self.bugs.append, owner=owner, timeout_s=2.0
        )
        await store.open()
        self._open.append(store)
        return store

    async def leave(self) -> None:
        """Close all."""
        for store in self._open:
            await store.close()


@pytest.fixture
async def sidecars(postgres_server: PostgresServer) -> AsyncIterator[Sidecars]:
    """A journal that sidecars may join."""
    made = Sidecars(await new_journal(postgres_server))
    yield made
    await made.leave()
    assert made.bugs == []

"""Rules for single statements: each ends, and is executed, refused or lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.incidents.postgres import PostgresServer
from proxy.idempotency.postgres_wire import Lost, Unexecuted, Wire, connect, readable


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[PostgresServer]:
    """A server to be harmed."""
    server = PostgresServer(tmp_path)
    yield server
    server.stop()


async def test_rows_are_tuples(database: str) -> None:
    """In the order of the columns."""
    wire = Wire(database, 1, 5.0)
    assert await wire.fetch("SELECT $1::text, 2", "a") == [("a", 2)]
    await wire.close()


async def test_what_the_server_refuses_has_a_state(database: str) -> None:
    """And the connection stays good."""
    wire = Wire(database, 1, 5.0)
    with pytest.raises(Unexecuted) as told:
        await wire.fetch("SELECT 1/0")
    assert (told.value.state, told.value.conflict) == ("22012", False)
    with pytest.raises(Unexecuted) as told:
        await wire.fetch("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$")
    assert told.value.conflict
    assert await wire.fetch("SELECT 1") == [(1,)]
    await wire.close()


async def test_no_more_connections_than_allowed(database: str) -> None:
    """The rest waits for its turn."""
    wire = Wire(database, 2, 5.0)
    backends = await asyncio.gather(
        *(wire.fetch("SELECT pg_backend_pid() FROM pg_sleep(0.01)") for _ in range(8))
    )
    assert len({rows[0][0] for rows in backends}) == 2
    await wire.close()


async def test_a_statement_that_takes_too_long_is_lost(database: str) -> None:
    """Its connection is cut, and the next statement has another."""
    wire = Wire(database, 1, 0.2)
    ((before,),) = await wire.fetch("SELECT pg_backend_pid()")
    with pytest.raises(Lost):
        await wire.fetch("SELECT pg_sleep(5)")
    ((after,),) = await wire.fetch("SELECT pg_backend_pid()")
    assert after != before
    await wire.close()


async def test_a_caller_that_goes_leaves_no_used_connection(database: str) -> None:
    """Nobody knows how far the statement got."""
    wire = Wire(database, 1, 5.0)
    ((before,),) = await wire.fetch("SELECT pg_backend_pid()")
    task = asyncio.ensure_future(wire.fetch("SELECT pg_sleep(5)"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    ((after,),) = await wire.fetch("SELECT pg_backend_pid()")
    assert after != before
    await wire.close()


async def test_a_session_that_the_server_ends_is_lost(database: str) -> None:
    """While it works, and while it idles; the next statement has another."""
    wire, other = Wire(database, 1, 5.0), Wire(database, 1, 5.0)
    ((backend,),) = await wire.fetch("SELECT pg_backend_pid()")
    at_work = asyncio.ensure_future(wire.fetch("SELECT pg_sleep(5)"))
    await asyncio.sleep(0.05)
    await other.fetch("SELECT pg_terminate_backend($1)", backend)
    with pytest.raises(Lost):
        await at_work
    assert await wire.fetch("SELECT 1") == [(1,)]
    await asyncio.gather(wire.close(), other.close())


async def test_a_frozen_server_is_lost_in_time(own_server: PostgresServer) -> None:
    """On a connection that stands, and on one that would have to be made."""
    wire = Wire(own_server.url(), 2, 0.2)
    assert await wire.fetch("SELECT 1") == [(1,)]
    own_server.freeze()
    for _ in range(2):
        with pytest.raises(Lost):
            await wire.fetch("SELECT 1")
    own_server.thaw()
    assert await wire.fetch("SELECT 1") == [(1,)]
    await wire.close()


async def test_a_database_that_is_not_there(database: str) -> None:
    """Says so; a port where nobody listens says nothing."""
    with pytest.raises(Unexecuted) as told:
        await connect(database + "_gone", 5.0)
    assert told.value.state == "3D000"
    with pytest.raises(Lost):
        await connect("postgresql://127.0.0.1:1/x", 1.0)


def test_a_url_is_shown_without_its_credentials() -> None:
    """Host, port and name."""
    assert readable("postgresql://me:secret@db.example:6000/pay") == "db.example:6000/pay"
    assert readable("postgres://db.example/pay?sslmode=require") == "db.example:5432/pay"
    with pytest.raises(ValueError, match=r"^$"):
        readable("mysql://db.example/pay")

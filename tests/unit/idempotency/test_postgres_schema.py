"""Rules for the tables of the shared journal and for the server that has them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from loadtests.incidents.postgres import PostgresServer
from proxy.idempotency.postgres_rows import LINKED
from proxy.idempotency.postgres_schema import check_server, check_tables, migrate
from proxy.idempotency.postgres_wire import Lost, Unexecuted, Wire
from proxy.idempotency.rows import LINKS
from proxy.model.errors import StartError
from tests.support.postgres import new_database

SECRET = b"s" * 32


@pytest.fixture
def careless(tmp_path: Path) -> Iterator[PostgresServer]:
    """A server that may forget what it acknowledged."""
    server = PostgresServer(tmp_path, fsync="off")
    yield server
    server.stop()


class Scripted(Wire):
    """Answers from a script: the setting's value, or an exception."""

    def __init__(self, answers: dict[str, str | Exception]) -> None:
        super().__init__("postgresql://h/d", 1, 1.0)
        self._answers = answers

    async def fetch(self, statement: str, *arguments: object) -> Sequence[tuple[Any, ...]]:
        answer = self._answers[statement.rsplit(maxsplit=1)[-1]]
        if isinstance(answer, Exception):
            raise answer
        return [(answer,)]


SAFE: dict[str, str | Exception] = {
    "server_version_num": "160002",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "transaction_read_only": "off",
}


async def test_migrating_twice_is_once_and_at_once_too(database: str) -> None:
    """Whoever comes first makes the tables; sidecars begin only after that."""
    wires = [Wire(database, 1, 5.0) for _ in range(3)]
    with pytest.raises(StartError, match=r"run `tidegate journal migrate`"):
        await check_tables(wires[0], database, SECRET)
    await asyncio.gather(*(migrate(wire, database) for wire in wires))
    await migrate(wires[0], database)
    await check_tables(wires[0], database, SECRET)
    await asyncio.gather(*(wire.close() for wire in wires))


async def test_another_secret_is_refused(database: str) -> None:
    """No known payment would be known again."""
    wire = Wire(database, 1, 5.0)
    await migrate(wire, database)
    await check_tables(wire, database, SECRET)
    with pytest.raises(StartError, match=r"`journal\.shared\.secret` is not the one"):
        await check_tables(wire, database, b"t" * 32)
    await wire.close()


@pytest.mark.parametrize(
    ("version", "readable_by", "refusal"),
    [("3", "1", None), ("3", "3", r"run a newer release"), ("1", "1", r"journal migrate")],
)
async def test_a_format_of_another_release(
    database: str, version: str, readable_by: str, refusal: str | None
) -> None:
    """A newer one that we can live with is used and left as it is; others are named."""
    wire = Wire(database, 1, 5.0)
    await migrate(wire, database)
    for name, value in (("version", version), ("readable_by", readable_by)):
        await wire.fetch("UPDATE tidegate_meta SET value = $2 WHERE name = $1", name, value)
    if refusal is not None:
        with pytest.raises(StartError, match=refusal):
            await check_tables(wire, database, SECRET)
    else:
        await check_tables(wire, database, SECRET)
        await migrate(wire, database)
        ((kept,),) = await wire.fetch("SELECT value FROM tidegate_meta WHERE name = 'version'")
        assert kept == "3"
    await wire.close()


async def test_tables_of_the_format_before_are_brought_up_to_this_one(database: str) -> None:
    """Once somebody migrates; a sidecar of the release before can go on working on them."""
    wire = Wire(database, 1, 5.0)
    await migrate(wire, database)
    for statement in (
        *(f"ALTER TABLE tidegate_calls DROP COLUMN {name}" for name in LINKS),
        "UPDATE tidegate_meta SET value = '1' WHERE name = 'version'",
    ):
        await wire.fetch(statement)
    with pytest.raises(StartError, match=r"format 1, this release needs 2; .*journal migrate"):
        await check_tables(wire, database, SECRET)
    await migrate(wire, database)
    await check_tables(wire, database, SECRET)
    assert await wire.fetch(LINKED, b"x" * 16, 1) == []
    ((readable_by,),) = await wire.fetch(
        "SELECT value FROM tidegate_meta WHERE name = 'readable_by'"
    )
    assert readable_by == "1"
    await wire.close()


async def test_a_server_that_may_forget_is_refused(careless: PostgresServer) -> None:
    """With the setting and what it should be."""
    url = await new_database(careless)
    wire = Wire(url, 1, 5.0)
    with pytest.raises(StartError, match=r"fsync is off; set it to on"):
        await migrate(wire, url)
    await wire.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"server_version_num": "120009"}, r"needs PostgreSQL 13"),
        ({"full_page_writes": "off"}, r"full_page_writes is off"),
        ({"synchronous_commit": "off"}, r"synchronous_commit is off"),
        ({"transaction_read_only": "on"}, r"transaction_read_only is on"),
        ({"fsync": Lost()}, r"does not answer"),
        ({"fsync": Unexecuted("28P01", conflict=False)}, r"the password is wrong"),
        ({"fsync": Unexecuted("XX000", conflict=False)}, r"SQLSTATE XX000"),
    ],
)
async def test_what_a_server_must_promise(change: dict[str, str | Exception], words: str) -> None:
    """Each setting by itself."""
    with pytest.raises(StartError, match=words):
        await check_server(Scripted({**SAFE, **change}), "postgresql://h/d")


async def test_a_setting_that_a_server_does_not_have_is_no_mistake() -> None:
    """Relatives of PostgreSQL have others."""
    unknown = Unexecuted("42704", conflict=False)
    await check_server(Scripted({**SAFE, "fsync": unknown}), "postgresql://h/d")


async def test_a_journal_that_cannot_be_reached_is_named() -> None:
    """While looking for its tables, too."""
    with pytest.raises(StartError, match=r"h:5432/d.*does not answer"):
        await check_tables(Scripted({"tidegate_meta": Lost()}), "postgresql://h/d", SECRET)
    denied = Scripted({"tidegate_meta": Unexecuted("42501", conflict=False)})
    with pytest.raises(StartError, match=r"may not do that"):
        await check_tables(denied, "postgresql://h/d", SECRET)

"""Rules for an operator's commands to a shared journal."""

from __future__ import annotations

import asyncio

import pytest

from loadtests.incidents.postgres import PostgresServer
from proxy.idempotency.postgres_admin import migrate
from proxy.model.errors import StartError
from tests.support.postgres import new_database


def test_migrating_says_where_and_what(postgres_server: PostgresServer) -> None:
    """As often as one likes."""
    url = asyncio.run(new_database(postgres_server))
    said = [migrate(url) for _ in range(2)]
    assert said[0] == said[1]
    assert said[0].endswith("has format 2")
    assert url.rpartition("/")[2] in said[0]


def test_a_database_that_is_not_there_is_named(postgres_server: PostgresServer) -> None:
    """In one sentence."""
    with pytest.raises(StartError, match=r"there is no such database"):
        migrate(postgres_server.url("nowhere"))

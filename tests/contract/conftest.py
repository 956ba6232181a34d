"""Every rule of this folder is tested with a journal of each kind."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loadtests.incidents.postgres import PostgresServer
from proxy.idempotency.sqlite import SqliteStore
from proxy.idempotency.store import Store
from tests.contract.places import Place
from tests.support.manual_clock import ManualClock
from tests.support.postgres import Sidecars, new_journal


@pytest.fixture(params=["sqlite", "postgres"])
async def place(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_server: PostgresServer
) -> AsyncIterator[Place]:
    """One journal of each kind."""
    if request.param == "sqlite":
        clock = ManualClock()

        async def sqlite() -> Store:
            return SqliteStore(
                tmp_path / "j.db", asyncio.get_running_loop(), wall=clock.wall,
                failed=pytest.fail,
            )  # fmt: skip

        made = Place(sqlite)
    else:
        sidecars = Sidecars(await new_journal(postgres_server))
        runs = itertools.count(1)

        async def postgres() -> Store:
            return await sidecars.join(f"run-{next(runs)}")

        made = Place(postgres)
    await made.begin()
    yield made
    await made.store.close()


@pytest.fixture
def store(place: Place) -> Store:
    """An open store."""
    return place.store

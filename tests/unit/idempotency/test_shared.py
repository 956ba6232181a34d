"""Rules for the shared journal as a whole."""

from __future__ import annotations

import asyncio

import pytest

from proxy.idempotency.opened import Opened
from proxy.idempotency.record import State
from proxy.idempotency.shared import Place, join_shared
from proxy.idempotency.store import Query
from proxy.model.clock import SystemClock
from tests.support.postgres import SECRET, Sidecars
from tests.unit.idempotency.values import fence, wanted


def joined(url: str) -> Opened:
    """A journal of this process."""
    return join_shared(
        Place(url, 10.0, 2), SECRET, {"k1": b"k" * 32}, 1.0,
        loop=asyncio.get_running_loop(), clock=SystemClock(), bug=lambda _: None,
    )  # fmt: skip


async def test_what_an_operator_should_hear(sidecars: Sidecars) -> None:
    """That calls were taken over; nothing where there were none."""
    first = joined(sidecars.url)
    assert await first.open() == ()
    other = await sidecars.join("run-1")
    _, row = await other.claim(wanted(owner=other.owner))
    await other.step(row.id, row.token, fence(send_by=1.0))
    await other.close()
    await first.journal.close(1.0)
    second = joined(sidecars.url)
    (said,) = await second.open()
    assert "took over 1 calls in doubt" in said
    (found,) = await second.journal.store.find(Query(mine=True, states=(State.IN_DOUBT,)))
    assert found.id == row.id
    await second.journal.close(1.0)


def test_where_it_is_does_not_show_the_password() -> None:
    """The URL has it."""
    assert "hunter2" not in repr(Place("postgresql://me:hunter2@h/d", 10.0, 8))


@pytest.mark.parametrize("closes", [1, 2])
async def test_closing_is_harmless(sidecars: Sidecars, closes: int) -> None:
    """Once or twice: the drain and a failed start may both do it."""
    journal = joined(sidecars.url)
    await journal.open()
    for _ in range(closes):
        assert await journal.journal.close(1.0)

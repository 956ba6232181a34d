"""Rules for who is alive among sidecars, and who takes over from whom."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from proxy.idempotency.owner import this_run
from proxy.idempotency.record import State, Superseded
from proxy.idempotency.store import Query
from tests.support.postgres import Sidecars
from tests.unit.idempotency.values import DOUBT, SETTLE, fence, wanted

LONG_AGO = 1.0
"""An instant to send by that is over."""


async def test_who_lives_is_left_alone(sidecars: Sidecars) -> None:
    """Whatever its rows look like."""
    one, two = await sidecars.join("run-1"), await sidecars.join("run-2")
    _, row = await one.claim(wanted(owner=one.owner))
    await one.step(row.id, row.token, fence(send_by=LONG_AGO))
    assert await two._lease.take_over() == {}
    assert (await one.step(row.id, row.token, SETTLE)).state is State.SETTLED


@pytest.mark.parametrize("sent", [False, True])
async def test_who_died_is_succeeded(sidecars: Sidecars, sent: bool) -> None:
    """What it had not sent is free; what it had is in doubt; and it changes nothing any more."""
    one, two = await sidecars.join("run-1"), await sidecars.join("run-2")
    _, row = await one.claim(wanted(owner=one.owner))
    if sent:
        await one.step(row.id, row.token, fence(send_by=LONG_AGO))
    await one._lease.leave()
    expected = State.IN_DOUBT if sent else State.RELEASED
    assert await two._lease.take_over() == {expected: 1}
    assert await two._lease.take_over() == {}
    with pytest.raises(Superseded):
        await one.step(row.id, row.token, fence(attempt=2))
    found = await two.read(row.id)
    assert found is not None
    assert (found.owner, found.state) == ("run-2", expected)


async def test_what_may_still_be_sent_is_not_taken_over(sidecars: Sidecars) -> None:
    """A run whose lease is over may be paused with the request in its hands."""
    one, two = await sidecars.join("run-1"), await sidecars.join("run-2")
    _, row = await one.claim(wanted(owner=one.owner))
    await one.step(row.id, row.token, fence(send_by=one.instant().wall + 60.0))
    await one._lease.leave()
    assert await two._lease.take_over() == {}


async def test_what_is_in_doubt_gets_another_keeper(sidecars: Sidecars) -> None:
    """So that it is asked about; its late answer still counts."""
    one, two = await sidecars.join("run-1"), await sidecars.join("run-2")
    _, row = await one.claim(wanted(owner=one.owner))
    await one.step(row.id, row.token, fence())
    await one.step(row.id, row.token, DOUBT)
    doubtful = Query(states=(State.IN_DOUBT,), mine=True)
    assert len(await one.find(doubtful)) == 1
    assert await two.find(doubtful) == []
    await one._lease.leave()
    assert await two._lease.take_over() == {State.IN_DOUBT: 1}
    assert len(await two.find(doubtful)) == 1
    assert (await one.step(row.id, row.token, SETTLE)).state is State.SETTLED


async def test_a_dead_process_of_this_machine_is_succeeded_at_once(sidecars: Sidecars) -> None:
    """Its death can be proven, so neither its lease nor its last instant is waited for."""
    child = subprocess.Popen(["sleep", "60"])  # noqa: ASYNC220
    parts = this_run().split("/")
    stat = Path(f"/proc/{child.pid}/stat").read_text(encoding="ascii")
    name = "/".join((*parts[:3], str(child.pid), stat.rpartition(")")[2].split()[19]))
    one = await sidecars.join(name)
    _, row = await one.claim(wanted(owner=name))
    await one.step(row.id, row.token, fence())
    two = await sidecars.join()
    assert await two._lease.take_over() == {}
    child.kill()
    await asyncio.to_thread(child.wait)
    assert await two._lease.take_over() == {State.IN_DOUBT: 1}
    assert two.owner.split("/")[3] == str(os.getpid())


async def test_a_jump_of_the_servers_clock_ages_no_row(sidecars: Sidecars) -> None:
    """What counts is what passed between two beats, and that is bounded."""
    one = await sidecars.join("run-1")
    before = one.instant().kept
    await one._wire.fetch("UPDATE tidegate_clock SET beat_at = beat_at - 90000")
    await one._lease.beat()
    assert one.instant().kept - before < 11.0
    await one._wire.fetch("UPDATE tidegate_clock SET beat_at = beat_at + 90000")
    await one._lease.beat()
    assert one.instant().kept >= before

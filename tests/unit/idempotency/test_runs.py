"""Rules for waiting until a run under a key has ended."""

from __future__ import annotations

import asyncio

from proxy.idempotency.runs import Runs


async def test_a_run_can_be_waited_for() -> None:
    """Here until it ends, or for so long; elsewhere now and then."""
    runs = Runs(asyncio.get_running_loop())
    run = runs.begin(b"k")
    await runs.wait_for(b"k", 0.01, 5.0)
    waiting = [asyncio.ensure_future(runs.wait_for(b"k", 5.0, 5.0)) for _ in range(2)]
    await asyncio.sleep(0)
    assert b"k" in runs
    assert not any(each.done() for each in waiting)
    runs.end(run)
    await asyncio.wait_for(asyncio.gather(*waiting), 1.0)
    assert run.told.done()
    assert b"k" not in runs
    await asyncio.wait_for(runs.wait_for(b"k", 5.0, 0.0), 1.0)


async def test_a_caller_that_leaves_does_not_end_it_for_others() -> None:
    """They would ask again and again, and find the key at work each time."""
    runs = Runs(asyncio.get_running_loop())
    run = runs.begin(b"k")
    run.told.cancel()
    waiting = asyncio.ensure_future(runs.wait_for(b"k", 5.0, 5.0))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    runs.end(run)
    await asyncio.wait_for(waiting, 1.0)


async def test_an_older_run_ends_for_itself_alone() -> None:
    """Its key was free, and taken anew, before it could say that it had ended."""
    runs = Runs(asyncio.get_running_loop())
    older = runs.begin(b"k")
    newer = runs.begin(b"k")
    runs.end(older)
    assert (b"k" in runs, older.told.done(), newer.told.done()) == (True, True, False)
    runs.end(newer)
    assert (b"k" in runs, newer.told.done()) == (False, True)

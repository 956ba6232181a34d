"""Rules for how many requests a partner works on at once."""

from __future__ import annotations

import asyncio

from proxy.sandbox.workers import Workers


async def start(workers: Workers, count: int) -> list[asyncio.Task[bool]]:
    """So many requests that ask for a worker, in order."""
    tasks = [asyncio.create_task(workers.take()) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


def done(tasks: list[asyncio.Task[bool]]) -> list[bool]:
    """Which of them have their answer."""
    return [task.done() for task in tasks]


async def test_without_a_rule_everybody_has_a_worker() -> None:
    """Nothing waits until somebody says how many there are."""
    workers = Workers()
    assert all(done(await start(workers, 100)))
    assert (workers.at_work, workers.waiting) == (100, 0)


async def test_the_others_wait_in_order_of_arrival() -> None:
    """A free worker takes whoever has waited longest."""
    workers = Workers()
    workers.limit(2, 10)
    tasks = await start(workers, 4)
    assert done(tasks) == [True, True, False, False]
    workers.leave()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert done(tasks) == [True, True, True, False]
    workers.unlimited()
    assert await asyncio.gather(*tasks) == [True] * 4
    assert (workers.at_work, workers.waiting) == (3, 0)


async def test_whoever_finds_a_full_queue_is_turned_away() -> None:
    """At most so many wait; the next one has its answer at once."""
    workers = Workers()
    workers.limit(1, 1)
    tasks = await start(workers, 3)
    assert done(tasks) == [True, False, True]
    assert not tasks[2].result()
    workers.unlimited()
    assert await tasks[1]


async def test_a_limit_counts_those_that_are_at_work_already() -> None:
    """Nobody is sent home: a smaller number holds as soon as enough have ended."""
    workers = Workers()
    await start(workers, 3)
    workers.limit(2, 10)
    [waiting] = await start(workers, 1)
    workers.leave()
    await asyncio.sleep(0)
    assert not waiting.done()
    workers.leave()
    assert await waiting


async def test_a_cancelled_request_keeps_no_worker() -> None:
    """Whether it still waits, or its turn had come in that very moment."""
    workers = Workers()
    workers.limit(1, 10)
    _, second, third = await start(workers, 3)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert workers.waiting == 1
    workers.leave()
    third.cancel()
    await asyncio.gather(third, return_exceptions=True)
    assert (workers.at_work, workers.waiting) == (0, 0)

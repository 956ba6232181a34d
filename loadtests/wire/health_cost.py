"""What verdicts cost: CPU time of noting one good call, with and without dimensions, and of a look.

`python -m loadtests.wire.health_cost`. Process time of one thread, so a loaded machine does not
lengthen it much; the best of several rounds.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

from proxy.model.events import AttemptEnded, CallEnded
from tests.support.healthy import Watched, ok

ROUNDS = 7
CALLS = 20_000
SLICES = 1000


def main() -> None:
    """Print the figures."""
    for dimensions in ((), ("scheme",), ("scheme", "currency")):
        print(f"one good call, {len(dimensions)} dimensions: {call_us(dimensions):.2f} us")
    watched, kib = many_slices()
    look_us = best_us(watched.health.look, 20)
    print(f"{SLICES} slices: {kib:.0f} KiB, one look each second: {look_us / 1000:.2f} ms")


def call_us(dimensions: tuple[str, ...]) -> float:
    """Microseconds of CPU for an attempt and a call that ended well."""
    watched = Watched("a", dimensions=dimensions)
    made = watched.end("a", ok(watched.at["a"]), *("visa", "eur")[: len(dimensions)])
    attempt = AttemptEnded(made, made.attempts[0])
    outcome = made.attempts[0].outcome
    assert outcome is not None
    ended, take = CallEnded(made, outcome, watched.clock.now()), watched.health.event

    def both() -> None:
        take(attempt)
        take(ended)

    return best_us(both, CALLS)


def many_slices() -> tuple[Watched, float]:
    """A house with so many slices, each with trouble in its last minute; their size in KiB."""
    tracemalloc.start()
    watched = Watched("a")
    for number in range(SLICES):
        watched.end("a", ok(watched.at["a"], 500), f"value-{number}")
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return watched, used / 1024


def best_us(work: Callable[[], None], times: int) -> float:
    """The least CPU time of one turn, over several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            work()
        best = min(best, time.process_time() - began)
    return best / times * 1e6


if __name__ == "__main__":
    main()

"""The application of one window: an open loop over all slices, each call with its partner's time.

A process of its own (`python -m loadtests.viewers.caller`), prints one JSON object: of each call,
in the order of the answers, microseconds in all and those that were not the partner's.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Sequence

import httptools

from loadtests.bench.openloop import (
    Broken,
    Connection,
    OpenLoop,
    arguments,
    generate,
    wake_in_time,
)
from loadtests.bench.schedule import poisson_schedule
from loadtests.bench.stats import percentile
from loadtests.viewers.payload import Planned, plan, request_bytes
from loadtests.viewers.results import Window

CONNECTIONS = 128
"""Some 27 are busy at 500 calls/s of 54 ms each; a call that waited for one would say nothing."""


class SlicedLoop(OpenLoop):
    """Each call has a request of its own; the answer says how long the partner held it."""

    def __init__(self, port: int, calls: Sequence[Planned]) -> None:
        super().__init__(port, CONNECTIONS)
        self._requests = [request_bytes(call, port) for call in calls]
        self._answers: list[tuple[float, bytes]] = []

    def request(self, number: int) -> bytes:
        """Made beforehand."""
        return self._requests[number]

    def answered(self, connection: Connection, took_s: float) -> None:
        """Read later: reading takes time."""
        self._answers.append((took_s, connection.body))

    def took_us(self) -> tuple[list[int], list[int]]:
        """(in all, without the partner) of each call. Raises Broken for a wrong answer."""
        whole, own = [], []
        for took_s, body in self._answers:
            try:
                held_us = json.loads(body)["held_us"]
            except (ValueError, KeyError, TypeError) as error:
                raise Broken("the answer's body is not the partner's") from error
            whole.append(round(took_s * 1e6))
            own.append(round(took_s * 1e6) - held_us)
        return whole, own


def parse(output: str) -> tuple[Window | None, list[str]]:
    """What the process printed, as a window's figures or as the problem that ended it."""
    said = json.loads(output)
    if "problem" in said:
        return None, [said["problem"]]
    return Window(said["took_us"], said["own_us"], said["lag_p99_us"]), []


def call(
    port: int, core: int, calls_per_s: float, seconds: float, seed: int
) -> tuple[Window | None, list[str]]:
    """Run one window as a process on `core`."""
    return parse(generate("loadtests.viewers.caller", port, core, calls_per_s, seconds, seed))


def main() -> None:
    """Call, and print what each call took."""
    args = arguments(__doc__)
    wake_in_time()
    schedule = poisson_schedule(args.rate, args.seconds, args.seed)
    calls = plan(len(schedule), args.seed)
    gc.disable()
    try:
        with SlicedLoop(args.port, calls) as loop:
            loop.run(schedule)
            whole, own = loop.took_us()
            lag_us = percentile(loop.lags_s, 0.99) * 1e6
    except (Broken, OSError, httptools.HttpParserError) as problem:
        print(json.dumps({"problem": f"{type(problem).__name__}: {problem}"}))
        return
    print(json.dumps({"took_us": whole, "own_us": own, "lag_p99_us": lag_us}))


if __name__ == "__main__":
    main()

"""`python -m loadtests.wire.guard_cost`: what the guards take of a call that goes well.

Gate, bulkhead and order of candidates around an attempt that ends at once, with no, one and two
dimensions; in processor time of one thread, so that what else the machine does is not in it.
Bar: 6 us. Reading the values from the body is told beside it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable

from loadtests.detection_slices import call_of, sliced_route
from proxy.guard.bulkheads import Bulkheads
from proxy.guard.dimensions import Reader
from proxy.guard.guards import Guards
from proxy.model.call import Attempt, Call
from proxy.model.message import Request, Response
from proxy.model.outcome import Answered, Execution, Outcome
from proxy.model.route import Candidate
from proxy.routing.choose import by_file

LIMIT_US = 6.0
CALLS = 20_000
ROUNDS = 15
VALUES = (("visa", "eur"), ("mastercard", "usd"), ("amex", "gbp"))
BODY = json.dumps(
    {"reference": "r-1", "amount": 100, "currency": "EUR", "scheme": "visa", "text": "x" * 150}
).encode()
_DONE = Answered("acquirer", "only", Response(200, [], b""), Execution.DONE)


def guards_us(dimensions: int, calls: int, rounds: int) -> float:
    """Microseconds of processor time for one call, the best of the rounds."""
    route = sliced_route(dimensions)
    candidate, now = route.candidates[0], time.monotonic()
    made = Attempt(number=1, candidate=candidate, begun_at=now, sent_at=now, ended_at=now + 0.1)

    async def attempt(call: Call, _: Candidate) -> Outcome:
        call.attempts.append(made)
        return _DONE

    guards = Guards([route], time.monotonic, lambda _: None)
    order = guards.order(by_file)
    guarded = guards.layer()(Bulkheads([route], time.monotonic).layer()(attempt))

    async def whole(call: Call) -> Outcome:
        return await guarded(call, order(call)[0])

    async def bare(call: Call) -> Outcome:
        return await attempt(call, candidate)

    asked = [call_of(route, *values[:dimensions]) for values in VALUES]

    def best(handle: Callable[[Call], Awaitable[Outcome]]) -> float:
        return min(asyncio.run(_round_us(handle, asked, calls)) for _ in range(rounds))

    return best(whole) - best(bare)


async def _round_us(
    handle: Callable[[Call], Awaitable[Outcome]], asked: list[Call], calls: int
) -> float:
    begin = time.process_time()
    for index in range(calls):
        call = asked[index % len(asked)]
        call.attempts.clear()
        await handle(call)
    return (time.process_time() - begin) / calls * 1e6


def reading_us(dimensions: int, calls: int, rounds: int) -> float:
    """The same for reading the values from a body of 250 bytes."""
    reader = Reader(sliced_route(dimensions).sources)
    request = Request(b"POST", b"/psp/", b"localhost", [], BODY, 0.0)
    taken = []
    for _ in range(rounds):
        begin = time.process_time()
        for _ in range(calls):
            reader.read(request)
        taken.append((time.process_time() - begin) / calls * 1e6)
    return min(taken)


def main() -> int:
    """Print the figures beside their bar; 1 where it does not hold."""
    held = True
    for dimensions in range(3):
        taken_us = guards_us(dimensions, CALLS, ROUNDS)
        read_us = reading_us(dimensions, CALLS, ROUNDS) if dimensions else 0.0
        held = held and taken_us <= LIMIT_US
        verdict = "pass" if taken_us <= LIMIT_US else "FAIL"
        print(f"{dimensions} dimensions: {taken_us:.2f} us, bar {LIMIT_US} us: {verdict}; ", end="")
        print(f"reading the body {read_us:.2f} us besides")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())

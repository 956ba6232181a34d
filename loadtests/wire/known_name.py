"""`python -m loadtests.wire.known_name`: what a call pays for a known name's addresses.

The resolver of an upstream is asked as a new connection asks it, on the real clock. The answer
is there, so no name server is needed. Bars: 1 us, and nothing to wait for.
"""

from __future__ import annotations

import asyncio
import random
import sys
import timeit
from statistics import median

from proxy.dns.answers import Answers, Records
from proxy.dns.cache import Bounds
from proxy.dns.names import Name, Names
from proxy.dns.resolver import Resolver
from proxy.model.clock import SystemClock

LIMIT_US = 1.0
ASKED = 200_000
ROUNDS = 7
HOST = "api.partner.example"
_KNOWN = Answers(
    Records(tuple(f"192.0.2.{number}" for number in range(1, 5)), 3600.0),
    Records(tuple(f"2001:db8::{number}" for number in range(1, 5)), 3600.0),
)


async def resolver() -> Resolver:
    """One whose name has four addresses of each family."""

    async def lookup(_name: str, _grace_s: float) -> Answers:
        return _KNOWN

    allowed = dict.fromkeys((True, False), lambda _: True)
    names = Names(
        [Name(HOST, private=False)], lookup, allowed, Bounds(), SystemClock(), _fail,
        random.Random(1),
    )  # fmt: skip
    await names.settled(1.0)
    return Resolver((), names, private=False)


def _fail(error: Exception) -> None:
    raise error


def took_us(asked: int, rounds: int) -> list[float]:
    """Microseconds for one lookup, by round. Raises RuntimeError if there is something to await."""
    resolve = asyncio.run(resolver()).resolve
    found = resolve(HOST, 5.0)
    if not isinstance(found, list) or len(found) != 8:
        raise RuntimeError(f"the name is not known: {found!r}")
    clock = timeit.Timer(lambda: resolve(HOST, 5.0))
    return [taken / asked * 1e6 for taken in clock.repeat(rounds, asked)]


def main() -> int:
    """Print the figure beside its bar; 1 where it does not hold."""
    taken = took_us(ASKED, ROUNDS)
    holds = median(taken) <= LIMIT_US
    verdict = "pass" if holds else "FAIL"
    print(
        f"known name: median {median(taken):.2f} us, least {min(taken):.2f}, "
        f"most {max(taken):.2f}; bar {LIMIT_US} us: {verdict}; no task switch"
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())

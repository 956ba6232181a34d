"""Concurrent callers that pay with keys of their own and repeat the same key until they know.

Closed loop, unlike the driver: each waits for its answer, because what matters
here is that one payment is asked for again and again, not when.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import count as counting

from loadtests.incidents.asker import Asker
from loadtests.incidents.payments import PATHS, Payment, Told

_PAUSE_S = (0.01, 0.08)
_LANES = 16
_UNKNOWN_MAX = 4
"""Replies that say unknown, after which a caller turns to its next payment."""


Urls = str | Sequence[str]
"""One sidecar, or several on one journal: each try goes to the next one."""


class Callers:
    """`count` callers; `payments` is everything they ever wanted."""

    def __init__(
        self, url: Urls, count: int, seed: int, partners: Sequence[str], prefix: str = "pay"
    ) -> None:
        self.payments: list[Payment] = []
        self._url = url
        self._rng = random.Random(seed)
        self._partners = partners
        self._prefix = prefix
        self._numbers = counting(1)
        self._ending = asyncio.Event()
        self._tasks = [asyncio.create_task(self._pay_on_and_on()) for _ in range(count)]

    async def finish(self) -> None:
        """Begin nothing new; wait until each caller has ended its payment or given it up."""
        self._ending.set()
        await asyncio.gather(*self._tasks)

    async def cancel(self) -> None:
        """Stop at once, whatever is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def last_retries(self) -> int:
        """Once more for every payment whose end is not known; how many there were."""
        open_ones = [payment for payment in self.payments if payment.final is None]
        await _spread(self._url, open_ones, self._retry)
        return len(open_ones)

    async def _pay_on_and_on(self) -> None:
        asker = Asker(self._url)
        try:
            while not self._ending.is_set():
                payment = self._next()
                self.payments.append(payment)
                await self._retry(asker, payment)
        finally:
            asker.close()

    def _next(self) -> Payment:
        number = next(self._numbers)
        partner = self._partners[number % len(self._partners)]
        amount = 100 * self._rng.randrange(1, 5000)  # whole units: other endings are declined
        return Payment(f"{self._prefix}-{number}", partner, amount, PATHS[partner])

    async def _retry(self, asker: Asker, payment: Payment) -> None:
        unknown = 0
        while unknown < _UNKNOWN_MAX:
            reply = await asker.ask(payment)
            payment.told.append(reply)
            if reply.final:
                return
            unknown += reply.status != 0
            await asyncio.sleep(self._rng.uniform(*_PAUSE_S))


async def reread(url: Urls, payments: Iterable[Payment]) -> None:
    """Ask once more, with the same key, for everything that anybody was told is done."""
    done = [payment for payment in payments if payment.done]
    for payment, reply in zip(done, await ask_each(url, done), strict=True):
        payment.reread = reply


async def ask_each(url: Urls, payments: Sequence[Payment], *, keyed: bool = True) -> list[Told]:
    """Make each payment once, some at a time; the replies in the same order."""
    told: dict[int, Told] = {}

    async def ask(asker: Asker, payment: Payment) -> None:
        told[id(payment)] = await asker.ask(payment, keyed=keyed)

    await _spread(url, payments, ask)
    return [told[id(payment)] for payment in payments]


async def _spread(
    url: Urls, payments: Sequence[Payment], work: Callable[[Asker, Payment], Awaitable[None]]
) -> None:
    """Do `work` for all payments, some at a time, each lane on a connection of its own."""
    waiting = iter(payments)

    async def lane() -> None:
        asker = Asker(url)
        try:
            for payment in waiting:
                await work(asker, payment)
        finally:
            asker.close()

    await asyncio.gather(*(lane() for _ in range(_LANES)))

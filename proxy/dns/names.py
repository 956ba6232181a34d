"""All names that the configuration has, kept fresh ahead of the calls that need them.

One task for each name asks before its addresses are too old, and no call waits
for it: whoever connects gets what is there, fresh or stale. Only a name that was
never resolved is waited for, and not long.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import NamedTuple

from proxy.dns.answers import CONCLUSIVE, Address, Answers
from proxy.dns.cache import FORBIDDEN, Bounds, Entry, State, answered
from proxy.dns.lookup import GRACE_S, TOTAL_S
from proxy.model.clock import Clock

CLIENT_WAIT_S = 0.9
"""How long a call waits for a name that was never resolved."""
DEAD_S = 30.0
"""How long an address that did not accept a connection stands behind the others."""

Lookup = Callable[[str, float], Awaitable[Answers]]
"""(name, grace for the second family in seconds)."""
Allowed = Callable[[str], bool]
Found = list[Address] | str


class Name(NamedTuple):
    """A name as an upstream means it: with addresses of private networks, or without.

    A tuple, since its hash is asked for by each new connection.
    """

    text: str
    private: bool


class Names:
    """`find` addresses; `run` keeps them fresh until it is cancelled.

    `allowed` says for private names and others which addresses may be connected
    to; `bug` is told of a failure of our own code.
    """

    def __init__(
        self,
        names: Iterable[Name],
        lookup: Lookup,
        allowed: Mapping[bool, Allowed],
        bounds: Bounds,
        clock: Clock,
        bug: Callable[[Exception], None],
        rng: random.Random | None = None,
    ) -> None:
        self._lookup = lookup
        self.allowed = allowed
        self.bounds = bounds
        self._clock = clock
        self._bug = bug
        self._rng = rng or random.Random()  # noqa: S311 - jitter
        self.entries = {name: Entry(name.text) for name in names}
        self._refreshing: dict[Name, asyncio.Task[None]] = {}
        self._wake = {name: asyncio.Event() for name in self.entries}
        self._dead: dict[str, float] = {}
        """Addresses that did not accept, until when (monotonic) they stand behind."""
        self.changed = asyncio.Event()
        """Set when a name has other addresses; whoever waits for it clears it."""

    # -- for calls ----------------------------------------------------------------------

    def find(self, name: Name, within_s: float) -> Found | Awaitable[Found]:
        """Addresses in order of preference, at once; for a name without any, what to wait for."""
        entry = self.entries[name]
        now = self._clock.now()
        if entry.orders and now < entry.good_at + self.bounds.stale_max_s:
            entry.turn = turn = (entry.turn + 1) % len(entry.orders)
            return self._living(entry.orders[turn]) if self._dead else entry.orders[turn]
        if now < entry.negative_until:
            return entry.reason
        return self._wait(name, entry, min(within_s, CLIENT_WAIT_S))

    async def _wait(self, name: Name, entry: Entry, within_s: float) -> Found:
        asked_at = entry.good_at
        await asyncio.wait([self._refresh_now(name)], timeout=within_s)
        if entry.orders and entry.good_at > asked_at:
            return self._living(entry.orders[entry.turn % len(entry.orders)])
        return entry.reason or "timeout"

    def tell(self, address: str, connected: bool) -> None:
        """Whether an address accepted a connection."""
        if connected:
            self._dead.pop(address, None)
        else:
            self._dead[address] = self._clock.now() + DEAD_S

    def _living(self, addresses: list[Address]) -> list[Address]:
        """Those that lately did not accept stand behind the others."""
        now = self._clock.now()
        for address in [each for each, until in self._dead.items() if until <= now]:
            del self._dead[address]
        dead = self._dead
        return sorted(addresses, key=lambda address: address[1] in dead)

    # -- keeping them fresh -----------------------------------------------------------------

    async def run(self) -> None:
        """Ask for every name ahead of time."""
        async with asyncio.TaskGroup() as tasks:
            for name in self.entries:
                tasks.create_task(self._keep(name))

    async def settled(self, within_s: float = TOTAL_S) -> None:
        """Wait until each name has been asked for once, or has addresses from before."""
        open_ones = [name for name, entry in self.entries.items() if not entry.orders]
        if open_ones:
            await asyncio.wait([self._refresh_now(name) for name in open_ones], timeout=within_s)

    async def _keep(self, name: Name) -> None:
        entry, wake = self.entries[name], self._wake[name]
        while True:
            wake.clear()
            wait_s = entry.refresh_at - self._clock.now()
            if wait_s <= 0:
                await asyncio.wait([self._refresh_now(name)])
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), wait_s)

    def _refresh_now(self, name: Name) -> asyncio.Task[None]:
        """The question under way, or a new one: never two for a name."""
        task = self._refreshing.get(name)
        if task is None:
            task = self._refreshing[name] = asyncio.create_task(self._refresh(name))
            task.add_done_callback(lambda _: self._refreshing.pop(name, None))
        return task

    async def _refresh(self, name: Name) -> None:
        entry = self.entries[name]
        before = (entry.ipv4, entry.ipv6)
        try:
            answers = await self._lookup(entry.name, TOTAL_S if entry.orders else GRACE_S)
        except Exception as error:  # noqa: BLE001 - told; the name is asked for again later
            self._bug(error)
            answers = Answers("dns_failed", "dns_failed")
        allowed, chance = self.allowed[name.private], self._rng.random()
        answered(entry, answers, self._clock.now(), self.bounds, allowed, chance)
        if before != (entry.ipv4, entry.ipv6):
            self.changed.set()
        self._wake[name].set()

    # -- for people --------------------------------------------------------------------------

    def report(self) -> list[dict[str, object]]:
        """A row for each name: state, addresses, age, the next question, what is wrong."""
        now, wall = self._clock.now(), self._clock.wall()
        return [
            {
                "name": entry.name,
                "private": name.private,
                "state": entry.state(now, self.bounds).value,
                "addresses": [*entry.ipv4, *entry.ipv6],
                "dead": [each for each in (*entry.ipv4, *entry.ipv6) if each in self._dead],
                "age_s": round(now - entry.good_at, 3) if entry.orders else None,
                "next_refresh_s": round(max(0.0, entry.refresh_at - now), 3),
                "reason": entry.reason,
                "failures": entry.failures,
                "failing_since": (
                    None if entry.failing_since is None else wall - (now - entry.failing_since)
                ),
            }
            for name, entry in self.entries.items()
        ]

    def in_trouble(self) -> list[Entry]:
        """Names served past their time, and names that worked and are said to be gone or moved
        to where we must not go.
        """
        now = self._clock.now()
        lies = (*CONCLUSIVE, FORBIDDEN)
        return [
            entry
            for entry in self.entries.values()
            if entry.failing_since is not None
            and (entry.reason in lies or entry.state(now, self.bounds) is not State.FRESH)
        ]

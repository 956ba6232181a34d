"""Names over a lookup that answers what a test says, when it says so."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable
from typing import Any

from proxy.dns.answers import Address, Answers, Records
from proxy.dns.cache import Bounds
from proxy.dns.names import Name, Names
from tests.support.manual_clock import ManualClock

ONE, TWO = Name("one.example", private=False), Name("two.example", private=True)


def good(*addresses: str, ttl_s: float = 60.0) -> Answers:
    """IPv4 alone."""
    return Answers(Records(addresses or ("192.0.2.1",), ttl_s), "no_addresses")


def v4(*addresses: str) -> list[Address]:
    """As they go to connect()."""
    return [(socket.AF_INET, each) for each in addresses]


class House:
    """Names over a lookup that answers what the test says, when it says so."""

    def __init__(self, *names: Name) -> None:
        self.clock = ManualClock()
        self.answer: Answers | Exception = good()
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[tuple[str, float]] = []
        self.bugs: list[Exception] = []
        allowed: dict[bool, Callable[[str], bool]] = {
            True: lambda _: True,
            False: lambda address: not address.startswith("10."),
        }
        self.names = Names(
            names or (ONE,), self._lookup, allowed, Bounds(), self.clock, self.bugs.append,
            random.Random(1),
        )  # fmt: skip

    async def _lookup(self, name: str, grace_s: float) -> Answers:
        self.asked.append((name, grace_s))
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def known(self) -> House:
        """After the first answers."""
        await self.names.settled(1.0)
        return self

    def find(self, name: Name = ONE) -> Any:
        """What a call gets at once."""
        return self.names.find(name, 5.0)

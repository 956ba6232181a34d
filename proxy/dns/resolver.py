"""Addresses of an upstream: pinned ones, literals, the local host, and then the name servers."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable

Address = tuple[socket.AddressFamily, str]
Lookup = Callable[[str, float], Awaitable[list[Address] | str]]

_LOCALHOST: list[Address] = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]


def literal(address: str) -> Address | None:
    """The address that a text is, if it is one; brackets of IPv6 are accepted."""
    try:
        parsed = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return None
    family = socket.AF_INET if parsed.version == 4 else socket.AF_INET6
    return family, str(parsed)


class Resolver:
    """Resolves the name of one upstream. `pinned` addresses are used without asking anybody."""

    def __init__(self, pinned: tuple[str, ...], lookup: Lookup) -> None:
        self._pinned = [found for found in map(literal, pinned) if found is not None]
        self._lookup = lookup

    async def resolve(self, name: str, within_s: float) -> list[Address] | str:
        """Addresses in order of preference, or the reason that there are none."""
        if self._pinned:
            return self._pinned
        fixed = literal(name)
        if fixed is not None:
            return [fixed]
        if name.rstrip(".").lower() == "localhost":
            return _LOCALHOST
        return await self._lookup(name, within_s)

"""Addresses of an upstream: pinned ones, literals, this machine, and then the names kept fresh."""

from __future__ import annotations

import socket
from collections.abc import Awaitable

from proxy.dns.answers import Address, literal
from proxy.dns.names import Name, Names

_LOCALHOST: list[Address] = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]


def name_of(host: str, pinned: tuple[str, ...], *, private: bool) -> Name | None:
    """The name that has to be asked for, or None where nobody knows better than we do."""
    if pinned or literal(host) is not None or host.rstrip(".").lower() == "localhost":
        return None
    return Name(host.rstrip(".").lower(), private)


class Resolver:
    """Resolves the name of one upstream. `pinned` addresses are used without asking anybody."""

    def __init__(self, pinned: tuple[str, ...], names: Names, *, private: bool) -> None:
        self._pinned = [found for found in map(literal, pinned) if found is not None]
        self._names = names
        self._private = private
        self._known: dict[str, Name | None] = {}

    def resolve(
        self, host: str, within_s: float
    ) -> list[Address] | str | Awaitable[list[Address] | str]:
        """Addresses in order of preference, the reason that there are none, or what to wait for."""
        if self._pinned:
            return self._pinned
        try:
            name = self._known[host]
        except KeyError:
            name = self._known[host] = name_of(host, (), private=self._private)
        if name is not None:
            return self._names.find(name, within_s)
        fixed = literal(host)
        return [fixed] if fixed is not None else _LOCALHOST

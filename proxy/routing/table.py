"""Finds the route of a call: by host, then the longest path prefix, then the method.

Prefixes match at segment boundaries: `/psp` matches `/psp` and `/psp/x`, never
`/pspx`. Looking one up costs a dictionary access per depth that any prefix
has, however many routes there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from proxy.model.route import Route

_ANY_HOST = b""


@dataclass(slots=True)
class _Host:
    """The routes of one host, by prefix without trailing slash."""

    prefixes: dict[bytes, list[Route]] = field(default_factory=dict)
    depth: int = 0

    def add(self, route: Route) -> None:
        prefix = route.path_prefix.rstrip(b"/")
        self.prefixes.setdefault(prefix, []).append(route)
        self.depth = max(self.depth, prefix.count(b"/"))

    def find(self, path: bytes, method: bytes) -> tuple[Route | None, bool]:
        """The route, and whether some route knew the path at all."""
        known = False
        for prefix in _prefixes(path, self.depth):
            routes = self.prefixes.get(prefix)
            if routes is None:
                continue
            known = True
            for route in routes:
                if not route.methods or method in route.methods:
                    return route, True
        return None, known


def _prefixes(path: bytes, depth: int) -> list[bytes]:
    """Prefixes of `path` that end at a segment boundary, longest first, at most `depth` deep."""
    if depth == 0:
        return [b""]
    cuts = [b""]
    position = 0
    for _ in range(depth):
        position = path.find(b"/", position + 1)
        if position < 0:
            cuts.append(path)
            break
        cuts.append(path[:position])
    cuts.reverse()
    return cuts


class RouteTable:
    """All routes, ready for lookup."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._hosts: dict[bytes, _Host] = {_ANY_HOST: _Host()}
        for route in self.routes:
            for host in route.hosts or (_ANY_HOST,):
                self._hosts.setdefault(host, _Host()).add(route)

    @property
    def hosts(self) -> frozenset[bytes]:
        """The hosts that routes name."""
        return frozenset(self._hosts) - {_ANY_HOST}

    def find(self, host: bytes, target: bytes, method: bytes) -> tuple[Route | None, bool]:
        """(route, whether the path was known with another method). Own hosts come first."""
        path = target.partition(b"?")[0]
        known_path = False
        own = self._hosts.get(host)
        if own is not None:
            route, known_path = own.find(path, method)
            if route is not None:
                return route, True
        route, known = self._hosts[_ANY_HOST].find(path, method)
        return route, known or known_path

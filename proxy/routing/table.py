"""Finds the route of a call: by host, then the longest path prefix, then the method.

Prefixes match at segment boundaries: `/psp` matches `/psp` and `/psp/x`, never
`/pspx`. Looking one up costs a dictionary access per depth that any prefix
has, however many routes there are.

A path can be spelled in more than one way (`/psp//charges`, `/psp/%63harges`),
and partners read them alike. What we match is the plain spelling, so a path
whose other reading would be another route's has no route: else the spelling
would choose which money rule applies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from proxy.model.route import Route

_ANY_HOST = b""
_ROOT = (b"",)
_PARAMETERS = re.compile(rb";[^/]*")
_SLASHES = re.compile(rb"[/\\]+")


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
        for prefix in _prefixes(path, self.depth) if self.depth else _ROOT:
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


def read_leniently(path: bytes) -> bytes:
    """The path as the most forgiving partner reads it: decoded, slashes merged, no parameters."""
    while b"%" in path:
        decoded = unquote_to_bytes(path)
        if decoded == path:
            break
        path = decoded
    return _SLASHES.sub(b"/", _PARAMETERS.sub(b"", path))


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

    def accepted(self, others: Iterable[str]) -> frozenset[bytes]:
        """The hosts that calls may be for: those of routes, and `others`."""
        return self.hosts | {host.lower().encode() for host in others}

    def find(self, host: bytes, target: bytes, method: bytes) -> tuple[Route | None, bool]:
        """(route, whether the path was known with another method). Own hosts come first."""
        path = target.partition(b"?")[0]
        found = self._match(host, path, method)
        if b"%" in path or b"//" in path or b";" in path:
            other = self._match(host, read_leniently(path), method)
            return found if other[0] is found[0] else (None, False)
        return found

    def _match(self, host: bytes, path: bytes, method: bytes) -> tuple[Route | None, bool]:
        known_path = False
        own = self._hosts.get(host)
        if own is not None:
            route, known_path = own.find(path, method)
            if route is not None:
                return route, True
        route, known = self._hosts[_ANY_HOST].find(path, method)
        return route, known or known_path

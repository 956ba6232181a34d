"""Puts the names of a configuration together: who is asked, what is kept, who works on it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from proxy.dns.cache import Bounds
from proxy.dns.keeper import Keeper
from proxy.dns.lookup import Lookup, Tell
from proxy.dns.names import Allowed, Name, Names
from proxy.dns.policy import forbidden
from proxy.dns.resolver import Resolver, name_of
from proxy.model.clock import Clock
from proxy.model.route import Upstream


@dataclass(frozen=True, slots=True)
class Servers:
    """Name servers (none: the system's), the wait for one answer, and where addresses are kept."""

    nameservers: tuple[str, ...]
    timeout_s: float
    snapshot: str | None


class Dns:
    """The names of all upstreams. `notes` is what an operator should hear at the start."""

    def __init__(
        self,
        upstreams: Iterable[Upstream],
        servers: Servers,
        bounds: Bounds,
        clock: Clock,
        tell: Tell,
        bug: Callable[[Exception], None],
    ) -> None:
        known = tuple(upstreams)
        self._upstreams = {each.name: (each.partner, _named(each)) for each in known}
        self._pinned = {each.name: _fixed(each) for each in known}
        wanted = {name for _, name in self._upstreams.values() if name is not None}
        lookup = Lookup(servers.nameservers, servers.timeout_s, tell)
        self.names = Names(
            sorted(wanted, key=lambda name: (name.text, name.private)),
            lookup, {private: _allowed(private) for private in (False, True)}, bounds, clock, bug,
        )  # fmt: skip
        self._keeper = (
            Keeper(self.names, Path(servers.snapshot), clock) if servers.snapshot else None
        )
        self.settled = False
        """Each name was asked for once, or is known from before."""
        self.notes: tuple[str, ...] = ()
        if self._keeper is not None:
            recalled = self._keeper.recall()
            if self._keeper.trouble:
                self.notes = (f"the snapshot of addresses {self._keeper.trouble}",)
            elif recalled < len(wanted):
                self.notes = (f"the snapshot knows {recalled} of {len(wanted)} names",)

    def resolver(self, upstream: Upstream) -> Resolver:
        """How one upstream finds its addresses: those of its forward proxy, if it has one, which
        somebody named on purpose and which may well be in our own network.
        """
        if upstream.egress.proxy is not None:
            return Resolver((), self.names, private=True)
        return Resolver(upstream.addresses, self.names, private=upstream.allow_private)

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """What has to run beside the calls."""
        works = [self._settle(), self.names.run()]
        return works if self._keeper is None else [*works, self._keeper.run()]

    async def _settle(self) -> None:
        await self.names.settled()
        self.settled = True

    def troubles(self) -> list[tuple[str, str, str, float]]:
        """(partner, upstream, reason, since when by the monotonic clock) of names in trouble."""
        entries = {entry.name: entry for entry in self.names.in_trouble()}
        return [
            (partner, upstream, entry.reason, entry.failing_since)
            for upstream, (partner, name) in self._upstreams.items()
            if name is not None
            and (entry := entries.get(name.text)) is not None
            and entry.failing_since is not None
        ]

    def of(self, upstream: str) -> dict[str, object]:
        """What is known of the name of one upstream."""
        name = self._upstreams[upstream][1]
        if name is None:
            return self._as_pinned(upstream)
        found = (row for row in self.names.report() if row["name"] == name.text)
        return next(row for row in found if row["private"] == name.private)

    def report(self) -> dict[str, object]:
        """The document served at /dns: each name, and the upstreams that need none."""
        pinned = [
            self._as_pinned(upstream)
            for upstream, (_, name) in self._upstreams.items()
            if name is None
        ]
        trouble = self._keeper.trouble if self._keeper else ""
        return {"schema": 1, "names": [*self.names.report(), *pinned], "snapshot_trouble": trouble}

    def _as_pinned(self, upstream: str) -> dict[str, object]:
        return {"name": upstream, "state": "pinned", "addresses": list(self._pinned[upstream])}


def _named(upstream: Upstream) -> Name | None:
    if upstream.egress.proxy is not None:
        return name_of(upstream.egress.proxy.host, (), private=True)
    return name_of(upstream.resolve_as, upstream.addresses, private=upstream.allow_private)


def _fixed(upstream: Upstream) -> tuple[str, ...]:
    """Where to connect if there is no name to ask for."""
    if upstream.egress.proxy is not None:
        return (upstream.egress.proxy.host,)
    return upstream.addresses or (upstream.resolve_as,)


def _allowed(private: bool) -> Allowed:
    judge = partial(forbidden, allow_private=private)
    return lambda address: judge(address) is None

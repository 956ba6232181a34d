"""Keeps the snapshot of addresses: read at the start, written soon after each change."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from proxy.dns import snapshot
from proxy.dns.cache import remembered
from proxy.dns.names import Name, Names
from proxy.dns.snapshot import Remembered
from proxy.model.checked_file import FileError
from proxy.model.clock import Clock

_WRITE_AFTER_S = 2.0
"""Names that change together are written together."""
_WRITE_EVERY_S = 600.0
"""Without a change, too: how old it is decides whether it may be used."""


class Keeper:
    """The snapshot of `names` at `path`."""

    def __init__(self, names: Names, path: Path, clock: Clock) -> None:
        self._names = names
        self._path = path
        self._clock = clock
        self.trouble = ""
        """Why it could not be read or written the last time, or nothing."""

    def recall(self) -> int:
        """Give the names what an earlier run knew; how many that were."""
        try:
            known = snapshot.read(self._path)
        except FileError as error:
            self.trouble = str(error)
            return 0
        now, wall = self._clock.now(), self._clock.wall()
        recalled = 0
        for name, entry in self._names.entries.items():
            found = known.get(_text(name))
            if found is None:
                continue
            age_s = max(0.0, wall - found.good_at)
            ipv4, ipv6 = (self._permitted(name, each) for each in (found.ipv4, found.ipv6))
            if age_s < self._names.bounds.stale_max_s and (ipv4 or ipv6):
                remembered(entry, ipv4, ipv6, now - age_s)
                recalled += 1
        return recalled

    def _permitted(self, name: Name, addresses: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(filter(self._names.allowed[name.private], addresses))

    async def run(self) -> None:
        """Write it soon after a change, and now and then, until it is cancelled."""
        changed = self._names.changed
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), _WRITE_EVERY_S)
                await asyncio.sleep(_WRITE_AFTER_S)
            changed.clear()
            await self.write()

    async def write(self) -> None:
        """Now. A disk that cannot take it costs the snapshot and nothing else."""
        now, wall = self._clock.now(), self._clock.wall()
        known = {
            _text(name): Remembered(entry.ipv4, entry.ipv6, wall - (now - entry.good_at))
            for name, entry in self._names.entries.items()
            if entry.orders
        }
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(None, snapshot.write, self._path, known)
        except FileError as error:
            self.trouble = str(error)
        else:
            self.trouble = ""


def _text(name: Name) -> str:
    return f"{name.text} private" if name.private else name.text

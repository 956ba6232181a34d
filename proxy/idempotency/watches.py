"""Which rows in doubt are to be asked about, and when; kept in memory, bounded by the rows.

A watch belongs to one token: a row that somebody took over meanwhile begins
anew. Its age is counted by the clock that never jumps, from when we first saw
the row, so that no set clock makes a partner's "I have no such call" look
proven too early.
"""

from __future__ import annotations

import random
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from proxy.idempotency.record import Record, Release
from proxy.idempotency.settling import Settling

WAIT_FIRST_S = 1.0
WAIT_MAX_S = 60.0


@dataclass(slots=True)
class Watch:
    """What we know of one row in doubt; instants are monotonic seconds."""

    token: int
    since: float
    again_at: float = 0.0
    wait_s: float = WAIT_FIRST_S
    asked: int = 0
    begun_elsewhere: bool = False
    """Somebody else, or an earlier life of ours, was reversing it when we first saw it."""
    clear_at: float = 0.0
    """Until then a reversal whose end nobody knows may still arrive."""
    ended: Release | None = None
    """How it ended, to be written when nothing can arrive any more."""


class Watches:
    """All rows that can be asked about."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._by_id: dict[bytes, Watch] = {}

    def of(self, row: Record, now: float) -> Watch:
        """The watch of this row as it stands."""
        watch = self._by_id.get(row.id)
        if watch is None or watch.token != row.token:
            elsewhere = row.settling == Settling.REVERSING
            watch = self._by_id[row.id] = Watch(row.token, now, begun_elsewhere=elsewhere)
        return watch

    def any_due(self, now: float) -> bool:
        """Whether it is time for any of them."""
        return any(now >= watch.again_at for watch in self._by_id.values())

    def back_off(self, watch: Watch, now: float) -> None:
        """Ask later, and later still after that."""
        watch.again_at = now + self._rng.uniform(watch.wait_s / 2, watch.wait_s)
        watch.wait_s = min(watch.wait_s * 2, WAIT_MAX_S)

    def forget(self, row_id: bytes) -> None:
        """It has ended, or somebody else goes on with it."""
        self._by_id.pop(row_id, None)

    def keep(self, row_ids: AbstractSet[bytes]) -> None:
        """Forget all others."""
        for row_id in self._by_id.keys() - row_ids:
            del self._by_id[row_id]

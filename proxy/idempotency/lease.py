"""Who is alive among the sidecars of one journal, by the clock of its server.

Each run renews its lease (`beat`) and learns the server's time with it. A run
whose lease is over is dead to the others, but it may only be paused, and wake
up with a request in its hands. So its rows change hands under two conditions:
the lease is over, and the instant is past after which that run must not begin
to send (`send_by`, which it checks right before its `write()`). A run on this
machine can be proven dead, and needs neither.

The server's time is taken for what it was when the question left, and so is
never estimated too early: what we promise not to send after, ends no later on
our side than others think.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from proxy.idempotency.owner import is_dead
from proxy.idempotency.postgres_rows import ORPHANS, row_of
from proxy.idempotency.postgres_wire import Wire
from proxy.idempotency.record import Instant, Record, State
from proxy.idempotency.transitions import taken_over

MARGIN_S = 1.0
"""Between the last instant of a send and a takeover: clocks drift, and a write() takes time."""
_BEATS = 5
"""In one lease, so that a few may be lost."""
_ROWS = 200
_PAGES = 50
_STEP_MAX_S = 60.0
_SERVER_NOW = "extract(epoch FROM clock_timestamp())::double precision"
_BEAT = (
    "INSERT INTO tidegate_owners (owner, expires_at) "  # noqa: S608
    f"VALUES ($1, {_SERVER_NOW} + $2) ON CONFLICT (owner) "
    f"DO UPDATE SET expires_at = EXCLUDED.expires_at RETURNING expires_at - $2"
)
_CLOCK = (
    "UPDATE tidegate_clock SET kept = kept + CASE WHEN beat_at = 0 THEN 0 "  # noqa: S608
    f"ELSE LEAST(GREATEST({_SERVER_NOW} - beat_at, 0), $1) END, beat_at = {_SERVER_NOW} "
    "WHERE id = 1 RETURNING kept"
)
_OTHERS = "SELECT owner FROM tidegate_owners WHERE owner <> $1"
_FORGET = (
    "DELETE FROM tidegate_owners WHERE (expires_at < $1 OR owner = ANY($2::text[])) "
    "AND NOT EXISTS (SELECT 1 FROM "
    "tidegate_calls c WHERE c.owner = tidegate_owners.owner "
    "AND state IN ('claimed', 'sending', 'in_doubt'))"
)
_LEAVE = "DELETE FROM tidegate_owners WHERE owner = $1"

Swap = Callable[[Record, int, Record], Awaitable[bool]]
"""Put a row in the place of the one with this revision; False if that is gone."""


class Lease:
    """The lease of this run, `lease_s` long; `swap` changes a row of somebody who has died."""

    def __init__(
        self, wire: Wire, owner: str, lease_s: float, swap: Swap, now: Callable[[], float]
    ) -> None:
        self._wire = wire
        self._owner = owner
        self._lease_s = lease_s
        self._swap = swap
        self._now = now
        self._bits = random.SystemRandom().getrandbits
        self._server = Instant(0.0, 0.0)
        self._asked_at = now()
        self.every_s = lease_s / _BEATS

    def instant(self) -> Instant:
        """Now by the server's clock, never too early."""
        passed_s = self._now() - self._asked_at
        return Instant(self._server.wall + passed_s, self._server.kept + passed_s)

    async def beat(self) -> None:
        """Renew the lease and look at the server's clocks. Raises Lost, Unexecuted.

        `kept` counts what passes between beats, so a jump of the server's clock adds
        no more than one beat can take.
        """
        asked_at = self._now()
        ((wall,),) = await self._wire.fetch(_BEAT, self._owner, self._lease_s)
        ((kept,),) = await self._wire.fetch(_CLOCK, min(self._lease_s, _STEP_MAX_S))
        self._server, self._asked_at = Instant(wall, kept), asked_at

    async def take_over(self) -> dict[State, int]:
        """Take the rows of runs that have died; how many, by the state that they are in now.

        Raises Lost, Unexecuted.
        """
        others = [owner for (owner,) in await self._wire.fetch(_OTHERS, self._owner)]
        dead = [owner for owner in others if is_dead(owner)]
        # For this question the server's time must not be taken too late: as it was at the beat.
        past = self._server.wall - MARGIN_S
        after: dict[State, int] = {}
        for _ in range(_PAGES):
            found = await self._wire.fetch(ORPHANS, self._owner, dead, past, _ROWS)
            for columns in found:
                row, revision = row_of(columns)
                mine = taken_over(row, self._owner, self._bits(32), self.instant())
                if await self._swap(row, revision, mine):
                    after[mine.state] = after.get(mine.state, 0) + 1
            if len(found) < _ROWS:
                await self._wire.fetch(_FORGET, past, dead)
                break
        return after

    async def leave(self) -> None:
        """Let the others have what is left, at once. Raises Lost, Unexecuted."""
        await self._wire.fetch(_LEAVE, self._owner)

"""Puts the shared journal together: keys, store, and the layers' part."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from proxy.idempotency.claim import Claims
from proxy.idempotency.fence import fence
from proxy.idempotency.journal import Journal
from proxy.idempotency.opened import Opened
from proxy.idempotency.postgres import PostgresStore
from proxy.idempotency.record import State
from proxy.idempotency.seal import Sealer
from proxy.model.clock import Clock
from proxy.model.message import NEVER_STORED


@dataclass(frozen=True, slots=True)
class Place:
    """Where the journal is: a libpq URL, the lease of a sidecar, and how many connections."""

    url: str
    lease_s: float
    connections_max: int

    def __repr__(self) -> str:
        return "Place(***)"


def join_shared(
    place: Place,
    secret: bytes,
    sealing: Mapping[str, bytes],
    timeout_commit_s: float,
    *,
    loop: asyncio.AbstractEventLoop,
    clock: Clock,
    never_store: Iterable[str] = NEVER_STORED,
    bug: Callable[[Exception], None],
) -> Opened:
    """A journal in PostgreSQL that many sidecars use; `open` it before anything else.

    `secret` makes fingerprints and derived keys, and never changes; `bug` is told
    of a failure of our own code that nobody waits for.
    """
    store = PostgresStore(
        place.url, secret, place.lease_s, bug, connections_max=place.connections_max,
        timeout_s=2 * timeout_commit_s, now=clock.now,
    )  # fmt: skip
    journal = Journal(store, loop, timeout_commit_s, bug)
    sealer = Sealer(sealing, never_store)

    async def begin() -> tuple[str, ...]:
        resumed = await store.open()
        doubtful = resumed.get(State.IN_DOUBT, 0)
        return (f"took over {doubtful} calls in doubt of sidecars that ended",) if doubtful else ()

    claims = Claims(journal, sealer, secret, store.owner, clock)
    return Opened(journal, claims, sealer, fence(journal, clock.now), begin)

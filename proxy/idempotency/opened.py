"""A journal as the composition root has it, whatever its store is."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from proxy.idempotency.claim import Claims
from proxy.idempotency.desk import Desk
from proxy.idempotency.journal import Journal
from proxy.idempotency.seal import Sealer
from proxy.idempotency.settle import Ask, Rules, Settler
from proxy.idempotency.store import StoreUnavailable
from proxy.idempotency.watch import Told, watch
from proxy.model.clock import Clock
from proxy.model.events import Emit
from proxy.pipeline.layer import AttemptLayer

Sleep = Callable[[float], Awaitable[None]]
_PURGE_ROWS = 500
"""In one commit: a few milliseconds, in which calls wait no longer than for any other."""
_PURGE_AGAIN_S = 1.0
_PURGE_IDLE_S = 60.0


@dataclass(frozen=True, slots=True)
class Opened:
    """`open` it, then it may be used; that gives sentences that an operator should hear."""

    journal: Journal
    claims: Claims
    sealer: Sealer
    fence: AttemptLayer
    open: Callable[[], Awaitable[tuple[str, ...]]]
    """Raises StartError."""

    def purging(self, retention_s: float) -> Coroutine[Any, Any, None]:
        """What keeps the journal from growing for ever."""
        return purge(self.journal, retention_s)

    def watching(self, alarm_s: float, told: Told, clock: Clock) -> Coroutine[Any, Any, None]:
        """What tells metrics and findings of calls without an end."""
        return watch(self.journal.store, clock.wall, alarm_s, told)

    def desk(self, clock: Clock) -> Desk:
        """What the admin listener asks and tells."""
        return Desk(self.journal, clock.wall)

    def settler(
        self, rules: Rules, ask: Ask, clock: Clock, *, attempts_max: int, emit: Emit
    ) -> Settler:
        """What asks partners about calls in doubt; see settle.py."""
        jitter = random.Random()  # noqa: S311 - not secret
        return Settler(
            self.journal, self.sealer, rules, ask, clock, jitter,
            attempts_max=attempts_max, emit=emit,
        )  # fmt: skip


async def purge(journal: Journal, retention_s: float, sleep: Sleep = asyncio.sleep) -> None:
    """Delete what ended longer ago than that, a little at a time, until it is cancelled."""
    while True:
        try:
            gone = await journal.store.purge(retention_s, _PURGE_ROWS)
        except StoreUnavailable:
            gone = 0  # it has worse to do than to be tidied
        await sleep(_PURGE_AGAIN_S if gone else _PURGE_IDLE_S)

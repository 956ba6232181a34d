"""Looks now and then at what has no end yet, for metrics and findings.

It reads beside the calls, and only rows without an end, so that a journal of a
million rows costs no more than an empty one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from proxy.idempotency.store import Store, StoreUnavailable
from proxy.model.unsettled import Unsettled

EVERY_S = 10.0
Told = Callable[[Sequence[Unsettled]], None]


async def watch(
    store: Store,
    wall: Callable[[], float],
    alarm_s: float,
    told: Told,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Tell what has no end, and how much of it is older than `alarm_s`, until it is cancelled."""
    while True:
        try:
            found = await store.unsettled(wall() - alarm_s)
        except StoreUnavailable:
            pass  # what was seen last stands; that the journal is away is told elsewhere
        else:
            told(found)
        await sleep(EVERY_S)

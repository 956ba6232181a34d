"""Puts the embedded journal together: keys, store, waits, and the layers' part."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxy.idempotency.claim import Claims
from proxy.idempotency.fence import fence
from proxy.idempotency.journal import Journal
from proxy.idempotency.keyring import key_file, open_keyring
from proxy.idempotency.record import State
from proxy.idempotency.seal import Sealer
from proxy.idempotency.settle import Ask, Settler
from proxy.idempotency.sqlite import SqliteStore
from proxy.idempotency.sqlite_open import version_warning
from proxy.idempotency.store import StoreUnavailable
from proxy.model.clock import Clock
from proxy.model.route import Inquiry
from proxy.pipeline.layer import AttemptLayer

Sleep = Callable[[float], Awaitable[None]]
_PURGE_ROWS = 500
"""In one commit: a few milliseconds, in which calls wait no longer than for any other."""
_PURGE_AGAIN_S = 1.0
_PURGE_IDLE_S = 60.0


@dataclass(frozen=True, slots=True)
class Embedded:
    """An open journal; `notes` are sentences that an operator should hear at the start."""

    journal: Journal
    claims: Claims
    sealer: Sealer
    fence: AttemptLayer
    notes: tuple[str, ...]

    def purging(self, retention_s: float) -> Coroutine[Any, Any, None]:
        """What keeps the file from growing for ever."""
        return purge(self.journal, retention_s)

    def settler(
        self, inquiries: Mapping[tuple[str, str], Inquiry], ask: Ask, clock: Clock
    ) -> Settler:
        """What asks partners about calls in doubt; see settle.py."""
        jitter = random.Random()  # noqa: S311 - not secret
        return Settler(self.journal, self.sealer, inquiries, ask, clock, jitter)


async def purge(journal: Journal, retention_s: float, sleep: Sleep = asyncio.sleep) -> None:
    """Delete what ended longer ago than that, a little at a time, until it is cancelled."""
    while True:
        try:
            gone = await journal.store.purge(retention_s, _PURGE_ROWS)
        except StoreUnavailable:
            gone = 0  # it has worse to do than to be tidied
        await sleep(_PURGE_AGAIN_S if gone else _PURGE_IDLE_S)


def open_embedded(
    path: Path,
    sealing: Mapping[str, bytes],
    timeout_commit_s: float,
    *,
    loop: asyncio.AbstractEventLoop,
    clock: Clock,
    failed: Callable[[str], None],
    bug: Callable[[Exception], None],
) -> Embedded:
    """Open the journal at `path`, which may not exist yet. Raises StartError.

    `failed` is told when the file can be trusted no more, `bug` of a failure of
    our own code that nobody waits for.
    """
    keyring = open_keyring(path, sealing)
    store = SqliteStore(path, loop, wall=clock.wall, failed=failed)
    journal = Journal(store, loop, timeout_commit_s, bug)
    owner = f"{os.uname().nodename}:{os.getpid()}"
    sealer = Sealer(keyring.sealing)
    claims = Claims(journal, sealer, keyring.secret, owner, clock)
    notes = [version_warning()]
    if keyring.made:
        notes.append(f"made keys for the journal in {key_file(path)}; back them up with it")
    if store.resumed:
        doubtful = store.resumed.get(State.IN_DOUBT, 0)
        notes.append(f"the last run left {doubtful} calls in doubt; see `tidegate journal list`")
    return Embedded(
        journal,
        claims,
        sealer,
        fence(journal, clock.now, clock.wall),
        tuple(note for note in notes if note),
    )

"""Seals stored answers anew after a rotation, so that the key before may be thrown away.

A batch is one commit, and what is sealed with the key in use is passed over: a
run that was cut short is simply run again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from proxy.idempotency.keyring import open_keyring
from proxy.idempotency.seal import Sealer, SealError
from proxy.idempotency.sqlite import SqliteStore
from proxy.idempotency.store import SealAgain, StoreUnavailable
from proxy.model.errors import StartError

_ROWS = 500


@dataclass(slots=True)
class Resealed:
    """How far it got: answers sealed anew, answers that no key opens, and where it stands."""

    changed: int = 0
    unreadable: int = 0
    share: float = 0.0
    """Of all rows, from 0 to 1."""


class Answers(Protocol):
    """The part of a store that is needed here."""

    async def reseal(self, seal_again: SealAgain, limit: int, after: bytes) -> tuple[bytes, int]:
        """See store.Store."""


async def reseal(store: Answers, sealer: Sealer, told: Callable[[Resealed], None]) -> Resealed:
    """Every answer of a store, a batch at a time; `told` hears of each. Raises StoreUnavailable."""
    progress = Resealed()

    def again(row_id: bytes, sealed: bytes) -> bytes | None:
        if sealer.current(sealed):
            return None
        try:
            return sealer.seal(row_id, sealer.open(row_id, sealed))
        except SealError:
            progress.unreadable += 1
            return None

    after = b""
    while True:
        after, changed = await store.reseal(again, _ROWS, after)
        progress.changed += changed
        progress.share = int.from_bytes(after[:4]) / 2**32 if after else 1.0
        told(progress)
        if not after:
            return progress


def reseal_file(
    path: Path, sealing: Mapping[str, bytes], told: Callable[[Resealed], None]
) -> Resealed:
    """Every answer of a journal file, which no sidecar may hold. Raises StartError."""

    async def run() -> Resealed:
        keyring = open_keyring(path, sealing)
        sealer = Sealer(keyring.sealing)
        loop = asyncio.get_running_loop()
        store = SqliteStore(
            path, loop, wall=time.time, failed=lambda _: None, proof=keyring.proof
        )  # fmt: skip
        try:
            return await reseal(store, sealer, told)
        finally:
            await store.close()

    try:
        return asyncio.run(run())
    except StoreUnavailable:
        raise StartError(
            f"the journal {path} could not be written; check the disk, then run it again: "
            "what was sealed anew stays so"
        ) from None

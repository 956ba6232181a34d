"""Puts the embedded journal together: keys, store, waits, and the layers' part."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from proxy.idempotency.claim import Claims
from proxy.idempotency.fence import fence
from proxy.idempotency.journal import Journal
from proxy.idempotency.keyring import key_file, open_keyring
from proxy.idempotency.opened import Opened
from proxy.idempotency.record import State
from proxy.idempotency.seal import Sealer
from proxy.idempotency.sqlite import SqliteStore
from proxy.idempotency.sqlite_format import unsaid
from proxy.idempotency.sqlite_open import version_warning
from proxy.model.clock import Clock
from proxy.model.message import NEVER_STORED


def open_embedded(
    path: Path,
    sealing: Mapping[str, bytes],
    timeout_commit_s: float,
    *,
    loop: asyncio.AbstractEventLoop,
    clock: Clock,
    never_store: Iterable[str] = NEVER_STORED,
    failed: Callable[[str], None],
    bug: Callable[[Exception], None],
    say: Callable[[str], None] = unsaid,
) -> Opened:
    """Open the journal at `path`, which may not exist yet. Raises StartError.

    `failed` is told when the file can be trusted no more, `bug` of a failure of
    our own code that nobody waits for, `say` before what takes long.
    """
    keyring = open_keyring(path, sealing)
    anew = not path.exists()
    store = SqliteStore(
        path, loop, wall=clock.wall, failed=failed, say=say, proof=keyring.proof
    )  # fmt: skip
    journal = Journal(store, loop, timeout_commit_s, bug)
    store.tell(journal.ended)
    owner = f"{os.uname().nodename}:{os.getpid()}"
    sealer = Sealer(keyring.sealing, never_store)
    claims = Claims(journal, sealer, keyring.secret, owner, clock)
    notes = [version_warning()]
    if keyring.made:
        notes.append(
            f"made keys for the journal in {key_file(path).resolve()}; back them up with it"
        )
    elif anew:
        notes.append(
            f"the journal {path} was not there, though its keys were: it begins empty, and knows "
            "of no earlier call"
        )
    if store.resumed:
        doubtful = store.resumed.get(State.IN_DOUBT, 0)
        listed = "see `tidegate journal list --config FILE`"
        notes.append(f"the last run left {doubtful} calls in doubt; {listed}")
    said = tuple(note for note in notes if note)

    async def begin() -> tuple[str, ...]:
        return said

    return Opened(journal, claims, sealer, fence(journal, clock.now), begin)

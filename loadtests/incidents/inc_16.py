"""INC-16: the same batch is debited again by another process.

A night chain sends a batch of payments without any keys. The sidecar makes keys
from business fields, so when the batch comes again, from other processes and
after the sidecar was killed and came back, each payment is answered from the
journal and none is executed. A changed amount is another payment.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from loadtests.incidents.batch import batch_lines, told_of
from loadtests.incidents.checker import Execution
from loadtests.incidents.configured import configuration, partner, route
from loadtests.incidents.journals import JournalUnderTest
from loadtests.incidents.mortal import MortalSidecar, free_port
from loadtests.incidents.payments import PATHS, Payment, Told
from loadtests.incidents.process import Process
from loadtests.incidents.result import Bar
from loadtests.incidents.run import BOTH, Measured, Replay, Run
from loadtests.incidents.stage import Stage
from loadtests.incidents.stats import share_of
from proxy.idempotency.record import Record, State

PAYMENTS = 500
CHANGED = 50
FIELDS = ("/merchantReference", "/amount", "/currency")
LATENCY_P50_MS = 5.0
_CHAIN_S = 60.0
"""How long a chain may take; it takes a second."""


async def play(run: Run) -> Measured:
    """Once; again by two others at once after a kill; again after an orderly restart; changed.

    On a journal that sidecars share, the third and the changed batch go to another sidecar.
    """
    rng = random.Random(16)
    batch = [
        Payment(f"batch-{n}", "acquirer", 100 * rng.randrange(1, 500), PATHS["acquirer"])
        for n in range(PAYMENTS)
    ]
    changed = [replace(payment, amount=payment.amount + 100) for payment in batch[:CHANGED]]
    async with Stage(run.directory, run.progress) as stage:
        acquirer = await stage.partner("acquirer", "acquirer", 16, LATENCY_P50_MS)
        journal = await stage.journal(run.store)
        sidecar = await _sidecar(stage, journal, rng, acquirer.url, "sidecar")
        other = sidecar
        if journal.shared:
            other = await _sidecar(stage, journal, rng, acquirer.url, "another")
        first = await _chain(stage, sidecar.url, "first", batch)
        sidecar.kill()
        sidecar.launch()
        await sidecar.listening()
        at_once = {"second": sidecar, "third": other}
        again = [
            *await asyncio.gather(
                *(_chain(stage, each.url, name, batch) for name, each in at_once.items())
            )
        ]
        await sidecar.stop()
        sidecar.launch()
        await sidecar.listening()
        again.append(await _chain(stage, sidecar.url, "fourth", batch))
        once = stage.executions()
        new = await _chain(stage, other.url, "changed", changed)
        rows = await asyncio.to_thread(journal.rows)
        bars = [
            *sent_again_bars(first, again, once),
            *changed_bars(new, stage.executions()[len(once) :], rows),
        ]
    return Measured(bars, {}, _summary(run, again, once))


async def _sidecar(
    stage: Stage, journal: JournalUnderTest, rng: random.Random, acquirer_url: str, name: str
) -> MortalSidecar:
    config = sidecar_config(free_port(rng), journal.settings(), acquirer_url)
    sidecar = stage.mortal(config, name=name)
    sidecar.launch()
    await sidecar.listening()
    return sidecar


def sidecar_config(port: int, journal: dict[str, Any], url: str) -> dict[str, Any]:
    """An acquirer without keys of its own, and calls that carry none."""
    made = {"key": "fields", "fields": list(FIELDS)}
    routes = [route("acquirer", idempotency=made)]
    return configuration(port, journal, {"acquirer": partner("acquirer", url)}, routes)


async def _chain(stage: Stage, url: str, name: str, payments: Sequence[Payment]) -> list[Told]:
    """A process of its own sends the batch; what it was told, in the batch's order."""
    batch, out = (stage.directory / f"{name}.{kind}.jsonl" for kind in ("batch", "told"))
    batch.write_text(batch_lines(payments), encoding="utf-8")
    command = [sys.executable, "-m", "loadtests.incidents.batch", url, str(batch), str(out)]
    process = Process(f"chain-{name}", command, stage.directory)
    await process.ended(_CHAIN_S)
    return told_of(out.read_text(encoding="utf-8").splitlines())


def sent_again_bars(
    first: Sequence[Told], again: Sequence[Sequence[Told]], ledger: Sequence[Execution]
) -> list[Bar]:
    """The first batch is executed, and what is sent again is answered by the journal alone."""
    executed = Counter(row.reference for row in ledger)
    repeats = [(was, now) for told in again for was, now in zip(first, told, strict=True)]
    blocked = sum(now.replayed and now.execution == "done" for _, now in repeats)
    equal = sum(was.same_answer(now) for was, now in repeats)
    note = f"{len(again)} processes after 2 restarts, {len(first)} payments each"
    return [
        Bar("first", "executed", sum(told.execution == "done" for told in first), "=", PAYMENTS),
        Bar("again", "answered from the journal", share_of(blocked, len(repeats)), "=", 100, "%",
            note),
        Bar("again", "with the first answer's bytes", share_of(equal, len(repeats)), "=", 100, "%"),
        Bar("again", "payments in the ledger", len(executed), "=", PAYMENTS),
        Bar("again", "dup", sum(executed.values()) - len(executed), "=", 0),
    ]  # fmt: skip


def changed_bars(
    told: Sequence[Told], ledger: Sequence[Execution], rows: Sequence[Record]
) -> list[Bar]:
    """A changed amount is a new payment, and the journal lists every payment once."""
    new = sum(reply.execution == "done" and not reply.replayed for reply in told)
    settled = sum(row.state is State.SETTLED for row in rows)
    return [
        Bar("changed", "new payments executed", new, "=", CHANGED),
        Bar("changed", "rows they add to the ledger", len(ledger), "=", CHANGED),
        Bar("journal", "payments listed as settled", settled, "=", PAYMENTS + CHANGED),
        Bar("journal", "rows", len(rows), "=", PAYMENTS + CHANGED),
    ]


def _summary(run: Run, again: Sequence[Sequence[Told]], ledger: Sequence[Execution]) -> str:
    blocked = sum(reply.replayed for told in again for reply in told)
    return f"{blocked} payments sent again on {run.store}, all blocked; {len(ledger)} executed once"


INC_16 = Replay("INC-16", "The same batch is debited again by another process", 1.0, play, BOTH)

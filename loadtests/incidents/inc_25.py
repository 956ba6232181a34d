"""INC-25: "some payments may need to be re-attempted", and which ones.

Both partners break in the middle of the load, in every way that makes a
difference: nothing can be sent, it was executed and never answered, it was
neither. In the middle of that the sidecar is killed. Callers ask once and never
again. Afterwards the journal alone must name what was never sent, what was sent
and not executed, what is done and what is unknown, and the ledgers must agree
with every row of it; and whoever sends a payment again gets no second charge.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from loadtests.incidents.asker import Asker
from loadtests.incidents.callers import Urls, ask_each, reread
from loadtests.incidents.checker import Execution
from loadtests.incidents.configured import OWN_KEYS, configuration, partner, route
from loadtests.incidents.mortal import MortalSidecar, free_port
from loadtests.incidents.payments import PATHS, Payment
from loadtests.incidents.reckoning import DOUBTFUL, Reckoning, reckon, reckoning_bars
from loadtests.incidents.result import Bar, Figure
from loadtests.incidents.run import BOTH, Measured, Replay, Run
from loadtests.incidents.stage import Stage
from loadtests.incidents.stats import share_of
from proxy.idempotency.described import class_of
from proxy.idempotency.record import Record, State
from proxy.sandbox.client import SandboxPartner

RATE_PER_S = 150.0
DEADLINE_S = 2.0
LENGTH_S = 24.0
OUTAGE_S = (6.0, 18.0)
KILL_S = 12.0
PARTNERS = ("processor", "acquirer")
NAMES = ("sidecar", "another")
"""On a journal that can be shared there are two; the first is killed."""
UNSENT = ({"kind": "refuse"},)
HALF_EXECUTED = (
    {"kind": "hang", "share": 0.5, "execute": "before"},
    {"kind": "hang", "execute": "never"},
)
"""No answer ever; one half is executed, and nobody can tell which."""


async def play(run: Run) -> Measured:
    """Load, outage and kill; then the journal against the ledgers; then everything again."""
    rng = random.Random(25)
    async with Stage(run.directory, run.progress) as stage:
        partners = {name: await stage.partner(name, name, 25) for name in PARTNERS}
        journal = await stage.journal(run.store)
        urls = {name: each.url for name, each in partners.items()}
        sidecars = []
        for name in NAMES if journal.shared else NAMES[:1]:
            config = sidecar_config(run, free_port(rng), journal.settings(), urls)
            sidecars.append(stage.mortal(config, name=name))
            sidecars[-1].launch()
            await sidecars[-1].listening()
        all_urls = [each.url for each in sidecars]
        payments = planned(run, rng)
        load = asyncio.create_task(_pay(all_urls, payments))
        try:
            await _break(run, sidecars[0], partners)
            await load
        finally:
            load.cancel()
        rows = await asyncio.to_thread(journal.rows)
        before = stage.executions()
        again = await _again(all_urls[::-1], payments, rows)
        stage.keep_payments(payments)
        found = reckon(payments, stage.executions(), rows)
        after = await asyncio.to_thread(journal.rows)
        bars = [
            *_bars(payments, before, rows, found),
            Bar("again", "duplicates blocked", share_of(sum(again), len(again)), "=", 100, "%",
                f"{len(again)} payments, done or unknown"),
            Bar("again", "rows that they changed", _changed(rows, after), "=", 0),
        ]  # fmt: skip
        return Measured(bars, {"all": _figures(payments, before, rows)}, _summary(run, rows, again))


def sidecar_config(
    run: Run, port: int, journal: dict[str, Any], urls: dict[str, str]
) -> dict[str, Any]:
    """One partner with keys of its own, one without; nobody is asked about anything."""
    partners = {
        "processor": partner("processor", urls["processor"], idempotency=OWN_KEYS),
        "acquirer": partner("acquirer", urls["acquirer"]),
    }
    routes = [route(name, run.duration(DEADLINE_S)) for name in PARTNERS]
    return configuration(port, journal, partners, routes)


def planned(run: Run, rng: random.Random) -> list[Payment]:
    """The payments, in the order in which they are made."""
    count = round(RATE_PER_S * run.scaled(LENGTH_S))
    return [
        Payment(f"pay-{n}", PARTNERS[n % 2], 100 * rng.randrange(1, 500), PATHS[PARTNERS[n % 2]])
        for n in range(count)
    ]


async def _pay(url: Urls, payments: Sequence[Payment]) -> None:
    """Make each once, at a steady rate, whatever became of the others."""
    began_at = time.monotonic()
    idle: list[Asker] = []

    async def pay(payment: Payment) -> None:
        asker = idle.pop() if idle else Asker(url)
        payment.told.append(await asker.ask(payment))
        idle.append(asker)

    async with asyncio.TaskGroup() as tasks:
        for number, payment in enumerate(payments):
            await asyncio.sleep(began_at + number / RATE_PER_S - time.monotonic())
            tasks.create_task(pay(payment))
    for asker in idle:
        asker.close()


async def _break(run: Run, sidecar: MortalSidecar, partners: dict[str, SandboxPartner]) -> None:
    """The outage: first one partner takes nothing and the other answers nothing, then in turn."""
    began_at = time.monotonic()

    async def at(seconds: float) -> None:
        await asyncio.sleep(began_at + run.scaled(seconds) - time.monotonic())

    async def rules(
        processor: Sequence[dict[str, Any]], acquirer: Sequence[dict[str, Any]]
    ) -> None:
        await asyncio.to_thread(partners["processor"].set_faults, *processor)
        await asyncio.to_thread(partners["acquirer"].set_faults, *acquirer)

    await at(OUTAGE_S[0])
    await rules(UNSENT, HALF_EXECUTED)
    run.progress.say("both partners are gone")
    await at(KILL_S)
    sidecar.kill()
    sidecar.launch()
    await sidecar.listening()
    run.progress.say("the sidecar was killed and is back")
    await rules(HALF_EXECUTED, UNSENT)
    await at(OUTAGE_S[1])
    await rules((), ())
    run.progress.say("the partners are back")


async def _again(url: Urls, payments: Sequence[Payment], rows: Sequence[Record]) -> list[bool]:
    """Everything done, and everything unknown at the acquirer, once more; whether it was blocked.

    What is unknown at the processor may rightly be repeated there, under its own key.
    """
    doubtful = {row.scope.key for row in rows if row.state in DOUBTFUL}
    unknown = [p for p in payments if p.key in doubtful and p.partner == "acquirer"]
    await reread(url, payments)
    told = await ask_each(url, unknown)
    return [
        *(p.reread.replayed for p in payments if p.reread is not None),
        *(reply.status == 409 and reply.execution == "unknown" for reply in told),
    ]


def _bars(
    payments: Sequence[Payment],
    before: Sequence[Execution],
    rows: Sequence[Record],
    found: Reckoning,
) -> list[Bar]:
    executed = {row.reference for row in before}
    doubtful = [row.scope.key in executed for row in rows if row.state in DOUBTFUL]
    states = [row.state for row in rows]
    note = f"{len(payments)} payments, {len(before)} executions, {len(rows)} rows"
    return [
        Bar("journal", "rows that agree with the ledgers", agreement(rows, executed), "=", 100,
            "%", note),
        *reckoning_bars("records", found, note),
        Bar("outage", "done", states.count(State.SETTLED), ">=", 1),
        Bar("outage", "never sent", _classes(rows)["never_sent"], ">=", 1),
        Bar("outage", "unknown, and executed", sum(doubtful), ">=", 1),
        Bar("outage", "unknown, and not executed", doubtful.count(False), ">=", 1),
    ]  # fmt: skip


def agreement(rows: Sequence[Record], executed: set[str]) -> float:
    """Of all keys that the journal or a ledger knows, the share on which both agree, in percent."""
    states = {row.scope.key: row.state for row in rows}
    agreed = 0
    for key in states.keys() | executed:
        state = states.get(key)
        in_ledger = key in executed
        agreed += state in DOUBTFUL or in_ledger == (state is State.SETTLED)
    return share_of(agreed, len(states.keys() | executed))


def _classes(rows: Sequence[Record]) -> Counter[str]:
    """By the journal's own word, as an export has it."""
    return Counter(map(class_of, rows))


def _changed(before: Sequence[Record], after: Sequence[Record]) -> int:
    states = {row.id: row.state for row in before}
    return sum(states.get(row.id) is not row.state for row in after)


def _figures(
    payments: Sequence[Payment], before: Sequence[Execution], rows: Sequence[Record]
) -> dict[str, Figure]:
    states = [row.state for row in rows]
    return {
        "payments": len(payments),
        "executions": len(before),
        "done": states.count(State.SETTLED),
        "never sent": _classes(rows)["never_sent"],
        "sent, and not executed": _classes(rows)["not_executed"],
        "unknown": sum(state in DOUBTFUL for state in states),
        "never heard of by the journal": len(payments) - len(rows),
    }


def _summary(run: Run, rows: Sequence[Record], again: Sequence[bool]) -> str:
    found = _classes(rows)
    return (
        f"on {run.store} {found['done']} done, {found['never_sent']} never sent, "
        f"{found['not_executed']} sent and not executed, "
        f"{sum(row.state in DOUBTFUL for row in rows)} unknown, all as the ledgers say; "
        f"{sum(again)} duplicates blocked"
    )


INC_25 = Replay("INC-25", "After an outage: never sent, done, unknown", 0.5, play, BOTH)

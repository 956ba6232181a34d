"""INC-15: the process dies between the charge and its record, again and again.

Fifty callers pay with keys of their own and repeat the same key until they
know what became of it. Under them the sidecar is killed with SIGKILL at random
moments, mostly while it works, sometimes while it starts, and comes back on the
same journal; on a journal that sidecars share there are two of them, killed in turn
and asked in turn. There are three partners, each with a ledger: one that knows a key
again, one that does not and can be asked, and one that neither knows nor tells.
When it is over three records must agree: what callers were told, what partners
executed, and the journal.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from loadtests.incidents.callers import Callers, reread
from loadtests.incidents.checker import Execution
from loadtests.incidents.configured import ASKED, OWN_KEYS, configuration, partner, route
from loadtests.incidents.inc_15_outage import outage_bars, outages
from loadtests.incidents.inc_15_pause import pauses
from loadtests.incidents.journals import PostgresJournal
from loadtests.incidents.mortal import MortalSidecar, free_port
from loadtests.incidents.payments import Payment
from loadtests.incidents.reckoning import doubts, reckon, reckoning_bars
from loadtests.incidents.result import Bar, Figure
from loadtests.incidents.run import BOTH, Measured, Replay, Run
from loadtests.incidents.stage import Stage
from loadtests.incidents.stats import median, percentile
from proxy.idempotency.record import Record

CALLERS = 50
KILLS = 300
KILLS_QUICK = 120
APART_S = 0.25
"""A life lasts up to this long, counted from when the sidecar takes payments."""
STARTING_S = 0.4
STARTING_SHARE = 0.1
"""Of the kills fall into the start, up to this long after it began."""
SETTLED_AFTER_S = 30.0
ABSENT_AFTER_S = 5.0
"""The sandbox executes within milliseconds of a sending, or not at all."""
LATENCY_P50_MS = 20.0
NAMES = ("sidecar", "another")
"""On a journal that can be shared there are two, and each try goes to the other one."""
PARTNERS = {"processor": "processor", "acquirer": "acquirer", "asked": "acquirer"}
"""Name and kind."""


@dataclass(slots=True)
class Kills:
    """What became of the kills."""

    wanted: int
    done: int = 0
    back_after_s: list[float] = field(default_factory=list)
    """From each start until payments were taken again."""


async def play(run: Run) -> Measured:
    """Kill, settle, read the three records."""
    rng = random.Random(15)
    async with Stage(run.directory, run.progress) as stage:
        urls = {
            name: (await stage.partner(name, kind, number, LATENCY_P50_MS)).url
            for number, (name, kind) in enumerate(PARTNERS.items())
        }
        journal = await stage.journal(run.store)
        sidecars = []
        for name in NAMES if journal.shared else NAMES[:1]:
            config = sidecar_config(run, free_port(rng), journal.settings(), urls)
            sidecars.append(stage.mortal(config, name=name))
            sidecars[-1].launch()
            await sidecars[-1].listening()
        all_urls = [sidecar.url for sidecar in sidecars]
        callers = Callers(all_urls, CALLERS, 15, tuple(PARTNERS))
        kills = Kills(run.kills or (KILLS_QUICK if run.quick else KILLS))
        try:
            await _kill_on_and_on(run, sidecars, kills, rng)
            await callers.finish()
            retried = await callers.last_retries()
        finally:
            await callers.cancel()
        payments, shared_bars = callers.payments, list[Bar]()
        if isinstance(journal, PostgresJournal):
            seen, added = await outages(run, journal, sidecars, tuple(PARTNERS))
            payments += added
            shared_bars = outage_bars(seen)
        wait_s = run.scaled(SETTLED_AFTER_S)
        run.progress.say(f"{retried} payments retried a last time; {wait_s:g} s to settle")
        await asyncio.sleep(wait_s)
        rows = await asyncio.to_thread(journal.rows)
        await reread(all_urls, payments)
        stage.keep_payments(payments)
        killed = measured(run, payments, stage.executions(), rows, kills)
        killed.bars += shared_bars
        if journal.shared:
            await asyncio.gather(*(sidecar.stop() for sidecar in sidecars))
            killed.bars += await pauses(run, stage, journal)
        return killed


def sidecar_config(
    run: Run, port: int, journal: dict[str, Any], urls: dict[str, str]
) -> dict[str, Any]:
    """Three ways of knowing what became of a call: its key, an inquiry, none."""
    asked = {**ASKED, "absent_after": run.duration(ABSENT_AFTER_S)}
    partners = {
        "processor": partner("processor", urls["processor"], idempotency=OWN_KEYS),
        "acquirer": partner("acquirer", urls["acquirer"]),
        "asked": partner("asked", urls["asked"], inquiries={"authorize": asked}),
    }
    return configuration(port, journal, partners, [route(name) for name in PARTNERS])


async def _kill_on_and_on(
    run: Run, sidecars: Sequence[MortalSidecar], kills: Kills, rng: random.Random
) -> None:
    """Each in turn at random: the others go on meanwhile."""

    def figure() -> str:
        return f"{kills.done} of {kills.wanted} kills"

    async with run.progress.watching("killing", kills.wanted * 0.8, figure):
        while kills.done < kills.wanted:
            sidecar = rng.choice(sidecars)
            if rng.random() < STARTING_SHARE:
                await asyncio.sleep(
                    max(0.0, sidecar.began_at + rng.uniform(0, STARTING_S) - time.monotonic())
                )
            else:
                kills.back_after_s.append(await sidecar.listening())
                await asyncio.sleep(rng.uniform(0, APART_S))
            sidecar.kill()
            kills.done += 1
            sidecar.launch()
    for sidecar in sidecars:
        kills.back_after_s.append(await sidecar.listening())


def measured(
    run: Run,
    payments: list[Payment],
    executions: list[Execution],
    rows: list[Record],
    kills: Kills,
) -> Measured:
    """Bars and figures from the three records and the kills."""
    found = reckon(payments, executions, rows)
    note = f"{len(payments)} payments, {len(executions)} executions, {len(rows)} rows"
    settled_after = f"{run.scaled(SETTLED_AFTER_S):g} s after the last retry"
    cut = sum(any(not reply.status for reply in payment.told) for payment in payments)
    bars = [
        Bar("kills", "SIGKILLs", kills.done, ">=", kills.wanted),
        Bar("kills", "payments that were cut by one", cut, ">=", kills.wanted, note="or more"),
        *reckoning_bars("records", found, note),
        *(
            Bar("in doubt", f"left at the {name}", len(doubts(rows, name)), "=", 0, "", how)
            for name, how in (
                ("processor", f"repeats keys; {settled_after}"),
                ("asked", f"can be asked; {settled_after}"),
            )
        ),
    ]
    told = sum(payment.final is not None for payment in payments)
    listed = doubts(rows, "acquirer")
    figures: dict[str, Figure] = {
        "payments": len(payments),
        "tries": sum(len(payment.told) for payment in payments),
        "callers know the end of": told,
        "in doubt at the acquirer, listed": len(listed),
        "takes payments again, s, median": median(kills.back_after_s),
        "takes payments again, s, p99": percentile(kills.back_after_s, 0.99),
    }
    summary = (
        f"{kills.done} kills on {run.store}, {len(payments)} payments, dup {found.dup}, "
        f"lost {found.lost}, mixed {found.mixed}, in doubt left 0 where it can be settled, "
        f"{len(listed)} listed elsewhere"
    )
    return Measured(bars, {"all": figures}, summary)


INC_15 = Replay("INC-15", "The process dies between the charge and its record", 0.4, play, BOTH)

"""INC-24: power loss. What a caller was told is done must be on the disk that comes back.

The sidecar's journal lies on a disk that loses power in the middle of the load:
every page that was not synced is really gone. Then the sidecar starts on what
is left, and each answer that a caller got must come back out of the journal,
byte for byte. The acquirer has no keys of its own, so an answer that was lost
cannot come back by asking it again: the payment would be made twice, and with
other bytes. The same replay is played with a journal that does not sync, and
must catch it; and a journal of a million calls must not make the start slow.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from loadtests.incidents.aged import age, forget_pages
from loadtests.incidents.callers import Callers, reread
from loadtests.incidents.configured import configuration, partner, route
from loadtests.incidents.disk import LossyDisk, obstacle
from loadtests.incidents.journals import SqliteJournal
from loadtests.incidents.mortal import TIDEGATE, MortalSidecar, free_port
from loadtests.incidents.payments import Payment
from loadtests.incidents.reckoning import Reckoning, reckon, reckoning_bars
from loadtests.incidents.result import Bar, Figure
from loadtests.incidents.run import Measured, Replay, Run
from loadtests.incidents.stage import Stage
from loadtests.incidents.stats import median

LOSSES = 300
LOSSES_QUICK = 20
LOSSES_OF_MUTANT = 3
CALLERS = 16
LOAD_S = (0.03, 0.2)
LATENCY_P50_MS = 2.0
ROWS = 1_000_000
READY_S = 2.0
STARTS = 3
MUTANT = ("-m", "loadtests.incidents.mutant_normal", "run")


@dataclass(slots=True)
class Arm:
    """The same replay on a journal that syncs, and on one that does not."""

    name: str
    command: Sequence[str]
    losses: int
    payments: list[Payment] = field(default_factory=list)
    back_after_s: list[float] = field(default_factory=list)
    done: int = 0
    found: Reckoning | None = None


async def play(run: Run) -> Measured:
    """The real one, the mutant, and the million."""
    real = Arm("power loss", TIDEGATE, LOSSES_QUICK if run.quick else LOSSES)
    mutant = Arm("synchronous=NORMAL", MUTANT, LOSSES_OF_MUTANT)
    for arm in (real, mutant):
        await _play_arm(run, arm)
    ready_s = await _million(run)
    figures: dict[str, Figure] = {
        "answers told done": sum(bool(payment.done) for payment in real.payments),
        "payments begun": len(real.payments),
        "takes payments again, s, median": median(real.back_after_s),
        "answers the mutant was caught losing": _found(mutant).lost,
    }
    return Measured(
        bars(real, mutant, ready_s),
        {"all": figures},
        f"{real.done} power losses, {figures['answers told done']} answers, lost "
        f"{_found(real).lost}; synchronous=NORMAL caught losing {_found(mutant).lost}; ready "
        f"{max(ready_s):.2f} s with {ROWS:,} rows",
    )


async def _play_arm(run: Run, arm: Arm) -> None:
    rng = random.Random(24)
    directory = run.directory / arm.name.replace(" ", "-")
    with LossyDisk(directory) as disk:
        async with Stage(directory, run.progress) as stage:
            acquirer = await stage.partner("acquirer", "acquirer", 24, LATENCY_P50_MS)
            journal = SqliteJournal(disk.place)
            sidecar = stage.mortal(
                sidecar_config(free_port(rng), journal, acquirer.url), arm.command
            )

            def figure() -> str:
                return f"{arm.done} of {arm.losses} losses"

            async with run.progress.watching(arm.name, arm.losses * 1.0, figure):
                while arm.done < arm.losses:
                    await _lose_once(arm, disk, sidecar, rng)
            sidecar.launch()
            await sidecar.listening()
            await reread(sidecar.url, arm.payments)
            stage.keep_payments(arm.payments)
            rows = await asyncio.to_thread(journal.rows)
            arm.found = reckon(arm.payments, stage.executions(), rows)
            await sidecar.stop()


async def _lose_once(arm: Arm, disk: LossyDisk, sidecar: MortalSidecar, rng: random.Random) -> None:
    """One life: what the last one told comes back, then load, then the power goes."""
    sidecar.launch()
    arm.back_after_s.append(await sidecar.listening())
    await reread(sidecar.url, arm.payments[-1000:])
    callers = Callers(sidecar.url, CALLERS, arm.done, ("acquirer",), f"loss-{arm.done}")
    try:
        await asyncio.sleep(rng.uniform(*LOAD_S))
        await sidecar.process.pause()
        await asyncio.sleep(0.005)  # what was said before is read, and so belongs to the promise
        await asyncio.to_thread(disk.lose_power)
    finally:
        await callers.cancel()
    arm.payments += callers.payments
    sidecar.kill()
    await asyncio.to_thread(disk.unmount)
    await asyncio.to_thread(disk.mount)
    arm.done += 1


async def _million(run: Run) -> list[float]:
    """Seconds from start to ready on a journal of a million calls, read from the disk."""
    path = run.directory / "million"
    async with Stage(path, run.progress) as stage:
        journal = SqliteJournal(path)
        config = sidecar_config(free_port(random.Random(25)), journal, "http://127.0.0.1:9")
        sidecar = stage.mortal(config)
        sidecar.launch()
        await sidecar.ready()
        await sidecar.stop()
        run.progress.say(f"writing a journal of {ROWS:,} rows")
        await asyncio.to_thread(age, journal.path, ROWS)
        ready_s = []
        for _ in range(STARTS):
            await asyncio.to_thread(forget_pages, journal.path)
            sidecar.launch()
            ready_s.append(await sidecar.ready())
            sidecar.kill()
    return ready_s


def sidecar_config(port: int, journal: SqliteJournal, url: str) -> dict[str, Any]:
    """An acquirer without keys of its own, which nobody asks."""
    partners = {"acquirer": partner("acquirer", url)}
    return configuration(port, journal.settings(), partners, [route("acquirer")])


def bars(real: Arm, mutant: Arm, ready_s: Sequence[float]) -> list[Bar]:
    """Nothing lost by the product, something by the mutant, and a quick start."""
    answers = sum(bool(payment.done) for payment in real.payments)
    return [
        Bar(real.name, "power losses", real.done, ">=", real.losses),
        Bar(real.name, "answers told done", answers, ">=", real.losses, note="or more"),
        *reckoning_bars(real.name, _found(real), f"{answers} answers"),
        Bar(mutant.name, "lost: the mutant is caught", _found(mutant).lost, ">=", 1,
            note=f"{mutant.done} losses"),
        Bar("start", f"ready with {ROWS:,} rows", max(ready_s), "<=", READY_S, "s",
            f"the slowest of {len(ready_s)}, file not in the page cache"),
    ]  # fmt: skip


def _found(arm: Arm) -> Reckoning:
    assert arm.found is not None
    return arm.found


INC_24 = Replay("INC-24", "Power loss", 1.0, play, obstacle=obstacle)

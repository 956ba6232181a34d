"""INC-15, second part: a sidecar is stopped between its fence and its first byte.

Ten sidecars on one journal each stop right after the fence of a payment has
become durable. Their callers turn to another sidecar, which takes over once the
lease and the last instant to send are past, asks the partner, hears that there
is no such payment, and makes it. Then the ten wake up, with the request in
their hands and time left until its deadline, and must not send it.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from loadtests.incidents.asker import Asker
from loadtests.incidents.configured import ASKED, configuration, partner, route
from loadtests.incidents.journals import JournalUnderTest
from loadtests.incidents.mortal import TIDEGATE, MortalSidecar, free_port
from loadtests.incidents.payments import PATHS, Payment, Told
from loadtests.incidents.result import Bar
from loadtests.incidents.run import Run
from loadtests.incidents.stage import Stage

SIDECARS = 10
PAUSES = 100
PAUSES_QUICK = 20
FENCED_WITHIN_S = 5.0
TAKEN_OVER_WITHIN_S = 30.0
AWAKE_S = 1.0
"""How long those who wake up are watched."""
PARTNER = "asked"
DEADLINE = "60s"
"""Far away, so that it is not what keeps them from sending."""
SLEEPER = ("-m", "loadtests.incidents.sleeper", "run")
SHORT = {"timeouts": {"queue": "200ms", "resolve": "200ms", "connect": "2s", "tls": "100ms"}}
"""So that the last instant to send comes soon."""


async def pauses(run: Run, stage: Stage, journal: JournalUnderTest) -> list[Bar]:
    """Stop, take over, wake, count; the bars."""
    rng = random.Random(151)
    acquirer = await stage.partner("paused", "acquirer", 151, 5.0)
    before = len(stage.executions())
    rescuer = await _sidecar(stage, journal, rng, acquirer.url, "rescuer")
    wanted = PAUSES_QUICK if run.quick else PAUSES
    payments: list[Payment] = []
    slept: list[Told] = []

    def figure() -> str:
        return f"{len(slept)} of {wanted} pauses"

    async with run.progress.watching("pausing", wanted * 0.9, figure):
        while len(slept) < wanted:
            number = len(slept) // SIDECARS
            batch = [
                Payment(
                    f"paused-{number}-{each}", PARTNER, 100 * rng.randrange(1, 500), PATHS[PARTNER]
                )
                for each in range(SIDECARS)
            ]
            payments += batch
            slept += await _round(stage, journal, rng, acquirer.url, rescuer, batch)
    return _bars(stage, payments, slept, before)


async def _sidecar(
    stage: Stage, journal: JournalUnderTest, rng: random.Random, url: str, name: str
) -> MortalSidecar:
    asked = {**ASKED, "absent_after": "1s"}
    reached = partner(PARTNER, url, inquiries={"authorize": asked})
    reached["upstreams"][PARTNER].update(SHORT)
    config = configuration(
        free_port(rng), journal.settings(), {PARTNER: reached}, [route(PARTNER, DEADLINE)]
    )
    sidecar = stage.mortal(config, SLEEPER if name != "rescuer" else TIDEGATE, name)
    sidecar.launch()
    await sidecar.listening()
    return sidecar


async def _round(
    stage: Stage,
    journal: JournalUnderTest,
    rng: random.Random,
    partner_url: str,
    rescuer: MortalSidecar,
    batch: list[Payment],
) -> list[Told]:
    """One payment in the hands of each of ten sidecars; what these told their callers."""
    sidecars = [
        await _sidecar(stage, journal, rng, partner_url, f"sleeper-{number}")
        for number in range(len(batch))
    ]
    askers = [Asker(sidecar.url) for sidecar in sidecars]
    asked = [
        asyncio.create_task(asker.ask(payment))
        for asker, payment in zip(askers, batch, strict=True)
    ]
    async with asyncio.timeout(FENCED_WITHIN_S):
        await asyncio.gather(*(sidecar.stopped() for sidecar in sidecars))
    await asyncio.gather(*(_rescue(rescuer.url, payment) for payment in batch))
    for sidecar in sidecars:
        sidecar.wake()
    told = await asyncio.gather(*asked)
    await asyncio.sleep(AWAKE_S)
    for asker in askers:
        asker.close()
    await asyncio.gather(*(sidecar.stop() for sidecar in sidecars))
    return told


async def _rescue(url: str, payment: Payment) -> None:
    """Ask the other sidecar until it knows; what it said at last is noted."""
    asker = Asker(url)
    try:
        async with asyncio.timeout(TAKEN_OVER_WITHIN_S):
            while not (payment.told and payment.told[-1].final):
                payment.told.append(await asker.ask(payment))
                await asyncio.sleep(0.1)
    except TimeoutError:
        payment.told.append(Told(error="never rescued"))
    finally:
        asker.close()


def _bars(stage: Stage, payments: list[Payment], slept: list[Told], before: int) -> list[Bar]:
    executed = Counter(row.reference for row in stage.executions()[before:])
    rescued = sum(payment.told[-1].execution == "done" for payment in payments)
    lied = sum(reply.execution == "none" for reply in slept)
    return [
        Bar("pauses", "SIGSTOPs between fence and first byte", len(slept), ">=", len(payments)),
        Bar("pauses", "dup", sum(executed.values()) - len(executed), "=", 0),
        Bar("pauses", "made by the sidecar that took over", rescued, "=", len(payments)),
        Bar("pauses", "in the ledger", len(executed), "=", len(payments)),
        Bar("pauses", "told none by who woke up", lied, "=", 0, note="it was executed elsewhere"),
    ]

"""INC-15, third part: the journal's own server stops, freezes and dies under the load.

Callers go on paying and repeating their keys at two sidecars. Meanwhile the
PostgreSQL that both share is frozen, killed and shut down in turn. While it is
away nothing may be sent for a keyed call, the refusal has to come at once, and
reading goes on; when it is back everything goes on by itself.
"""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from loadtests.incidents.asker import Asker
from loadtests.incidents.callers import Callers
from loadtests.incidents.journals import PostgresJournal
from loadtests.incidents.mortal import MortalSidecar
from loadtests.incidents.payments import PATHS, Payment
from loadtests.incidents.postgres import PostgresServer
from loadtests.incidents.result import Bar
from loadtests.incidents.run import Run
from loadtests.incidents.stats import percentile

OUTAGES = 12
OUTAGES_QUICK = 6
CALLERS = 20
KNOWN_AFTER_S = 1.5
"""`timeout_commit` is 1 s: by then a server that does not answer is known to be away."""
AWAY_S = 1.5
"""How long it stays away after that."""
REFUSED_WITHIN_MS = 50.0
RESUMED_WITHIN_S = 5.0
BETWEEN_S = 1.0
_READ = "/acquirer/payments?merchantReference=nobody"
_Back = Callable[[], None]
_Way = Callable[[PostgresServer], _Back]
"""Takes the server away; what brings it back."""


@dataclass(slots=True)
class Outages:
    """What was seen while the server was away, and after it came back."""

    done: int = 0
    refused_ms: list[float] = field(default_factory=list)
    not_refused: int = 0
    """Keyed payments that were answered otherwise than 503, unknown, while it was away."""
    reads: list[int] = field(default_factory=list)
    """Statuses of GETs while it was away."""
    resumed_s: list[float] = field(default_factory=list)
    probes: list[Payment] = field(default_factory=list)


async def outages(
    run: Run, journal: PostgresJournal, sidecars: Sequence[MortalSidecar], partners: Sequence[str]
) -> tuple[Outages, list[Payment]]:
    """Take the server away again and again under load; what was seen, and all payments."""
    urls = [sidecar.url for sidecar in sidecars]
    callers = Callers(urls, CALLERS, 152, partners, "outage")
    seen = Outages()
    wanted = OUTAGES_QUICK if run.quick else OUTAGES
    ways = (_freeze, _kill, _stop)
    try:
        async with run.progress.watching(
            "outages", wanted * (KNOWN_AFTER_S + AWAY_S + BETWEEN_S), lambda: f"{seen.done} outages"
        ):
            while seen.done < wanted:
                await asyncio.sleep(BETWEEN_S)
                await _outage(journal.server, ways[seen.done % len(ways)], urls[0], seen)
        await callers.finish()
        await callers.last_retries()
    finally:
        await callers.cancel()
    return seen, [*callers.payments, *seen.probes]


async def _outage(server: PostgresServer, how: _Way, url: str, seen: Outages) -> None:
    back = await asyncio.to_thread(how, server)
    await asyncio.sleep(KNOWN_AFTER_S)
    ends_at = time.monotonic() + AWAY_S
    asker = Asker(url)
    try:
        while time.monotonic() < ends_at:
            payment = _probe(seen)
            began_at = time.monotonic()
            reply = await asker.ask(payment)
            payment.told.append(reply)
            seen.refused_ms.append((time.monotonic() - began_at) * 1000)
            seen.not_refused += (reply.status, reply.execution) != (503, "unknown")
            seen.reads.append(await asyncio.to_thread(_read, url))
            await asyncio.sleep(0.05)
        await asyncio.to_thread(back)
        seen.resumed_s.append(await _until_done(asker, seen))
    finally:
        asker.close()
    seen.done += 1


async def _until_done(asker: Asker, seen: Outages) -> float:
    began_at = time.monotonic()
    payment = _probe(seen)
    while not payment.done and time.monotonic() < began_at + 2 * RESUMED_WITHIN_S:
        payment.told.append(await asker.ask(payment))
        await asyncio.sleep(0.02)
    return time.monotonic() - began_at


def _probe(seen: Outages) -> Payment:
    payment = Payment(f"probe-{len(seen.probes)}", "acquirer", 4200, PATHS["acquirer"])
    seen.probes.append(payment)
    return payment


def _read(url: str) -> int:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5.0)
    try:
        connection.request("GET", _READ)
        return connection.getresponse().status
    finally:
        connection.close()


def _freeze(server: PostgresServer) -> _Back:
    server.freeze()
    return server.thaw


def _kill(server: PostgresServer) -> _Back:
    server.kill()
    return server.start


def _stop(server: PostgresServer) -> _Back:
    server.stop()
    return server.start


def outage_bars(seen: Outages) -> list[Bar]:
    """Refused at once, read all the same, and back by itself."""
    away = f"{len(seen.refused_ms)} keyed calls in {seen.done} outages"
    return [
        Bar("outages", "refusal of a keyed call, p99", percentile(seen.refused_ms, 0.99), "<=",
            REFUSED_WITHIN_MS, "ms", away),
        Bar("outages", "keyed calls not refused", seen.not_refused, "=", 0, note=away),
        Bar("outages", "GETs that did not pass", sum(s != 200 for s in seen.reads), "=", 0,
            note=f"{len(seen.reads)} GETs"),
        Bar("outages", "takes payments again, worst", max(seen.resumed_s), "<=", RESUMED_WITHIN_S,
            "s", "after the server is back"),
    ]  # fmt: skip

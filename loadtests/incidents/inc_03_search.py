"""INC-03 with the system's own settings: search domains, and a name server that rebinds.

Played in a network of its own, where port 53 and public addresses are ours.
`/etc/resolv.conf` has three search domains and ndots:5, as Kubernetes writes
it, and the sidecar is told of no name server. That the settings bite is shown
beside it: the C library asks for the same kind of name through all of them.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import signal
import socket
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from loadtests.incidents import namespace
from loadtests.incidents.dns_arm import SEED, partners
from loadtests.incidents.dns_promises import Extras
from loadtests.incidents.dns_sidecar import COLD_RATE_PER_S, GIVE_UP_S, configuration, trap
from loadtests.incidents.dns_zone import TRAP, TTL_S, Zone, host
from loadtests.incidents.figures import reasons, succeeded
from loadtests.incidents.history import History
from loadtests.incidents.mortal import free_port
from loadtests.incidents.process import Process
from loadtests.incidents.progress import Progress
from loadtests.incidents.result import Bar
from loadtests.incidents.run import Measured, Run
from loadtests.incidents.schedule import Load, plan
from loadtests.incidents.stage import Stage
from tests.support.dns_answers import addresses
from tests.support.dns_server import DnsServer

SEARCH = ("payments.svc.cluster.test", "svc.cluster.test", "cluster.test")
RESOLV_CONF = f"nameserver 127.0.0.1\nsearch {' '.join(SEARCH)}\noptions ndots:5 timeout:1\n"
PUBLIC = "93.184.216.34"
LABELS = ("slow", "lossy", "rebind")
"""Two of the ordinary names, under no fault, and the one whose answers turn hostile."""
HOSTILE: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    ((TRAP,), ()),
    (("169.254.169.254", TRAP, "10.0.0.1"), ("::1",)),
    ((PUBLIC, TRAP), (f"::ffff:{TRAP}",)),
    ((TRAP,), ("64:ff9b::7f00:4", "2002:7f00:4::1")),
)
"""What the rebinding name resolves to in turn, IPv4 and IPv6: never anything allowed alone."""
PLAYED_WITHIN_S = 90.0


@dataclass(slots=True)
class Seen:
    """What happened inside; handed over as JSON."""

    asked: dict[str, int] = field(default_factory=dict)
    """Questions by name, as far as the sidecar asked them."""
    library: dict[str, int] = field(default_factory=dict)
    """Questions by name that one lookup of the C library made."""
    calls: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    reasons: str = ""
    trapped: int = 0


async def play_search(run: Run, measured: Measured) -> None:
    """Bars of this part, or the reason why it can't be played here."""
    why = await asyncio.to_thread(namespace.obstacle)
    if why is not None:
        measured.refused = f"search domains and rebinding: {why}"
        return
    run.progress.say("search domains and rebinding, in a network of its own")
    directory = run.directory / "search"
    directory.mkdir(parents=True)
    command = [*namespace.UNSHARE, sys.executable, "-m", "loadtests.incidents.inc_03_search"]
    process = Process("search", [*command, str(directory)], directory)
    try:
        await process.ended(PLAYED_WITHIN_S)
    finally:
        await process.stop()
    seen = Seen(**json.loads((directory / "seen.json").read_text(encoding="utf-8")))
    measured.bars += bars(seen)
    measured.figures["search domains"] = {
        "questions of one lookup of the C library": sum(seen.library.values()),
        "questions of the sidecar": sum(seen.asked.values()),
        "not succeeded for": seen.reasons,
    }


def bars(seen: Seen) -> list[Bar]:
    """Nothing goes through a search domain, nothing to a forbidden address, and calls succeed."""
    plain = {host(label) for label in LABELS}
    asked = sum(seen.asked.get(name, 0) for name in plain)
    control = searched(seen.library)
    ours = sum(count for name, count in seen.asked.items() if name not in plain)
    return [
        Bar(
            "search domains",
            "questions through search domains",
            ours if asked else math.nan,
            "=",
            0,
            "",
            f"{asked} questions for the names themselves",
        ),
        Bar("search domains", "the C library's, as a control", control, ">=", len(SEARCH)),
        *(_failed_bar(seen, label) for label in LABELS),
        Bar("rebinding", "connections to a forbidden address", seen.trapped, "=", 0),
    ]


def searched(asked: Mapping[str, int]) -> int:
    """Questions for names below a search domain."""
    return sum(count for name, count in asked.items() if name.endswith(SEARCH))


def _failed_bar(seen: Seen, label: str) -> Bar:
    calls = seen.calls.get(label, 0)
    figure = seen.failed.get(label, 0) if calls else math.nan
    variant = "rebinding" if label == "rebind" else "search domains"
    return Bar(variant, f"failed calls to {label}", figure, "=", 0, "", f"{calls} calls")


async def _inside(directory: Path) -> None:
    """What the child does."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    namespace.loopback_up()
    namespace.add_address(PUBLIC)
    namespace.resolve_by(RESOLV_CONF, directory)
    seen, extras = Seen(), Extras()
    with DnsServer(port=53) as server:
        zone = Zone(server)
        await asyncio.to_thread(_library, "library.partner.test")
        seen.library = dict(Counter(query.name for query in server.queries()))
        server.forget()
        async with Stage(directory, Progress("INC-03 search")) as stage:
            old, _ = await partners(stage)
            public = await stage.partner("public", "acquirer", seed=SEED, host=PUBLIC)
            async with trap(extras, public.port):
                history = await _load(stage, zone, {"": old.port, "rebind": public.port})
        seen.asked = dict(Counter(query.name for query in server.queries()))
    for label in LABELS:
        of_it = history.where(lambda r, label=label: r.scheme == label)  # type: ignore[misc]
        seen.calls[label] = len(of_it)
        seen.failed[label] = of_it.count(lambda r: not succeeded(r))
    seen.reasons, seen.trapped = reasons(history), extras.trapped
    (directory / "seen.json").write_text(json.dumps(asdict(seen)), encoding="utf-8")


async def _load(stage: Stage, zone: Zone, ports: Mapping[str, int]) -> History:
    rng = random.Random("inc-03-search")
    urls = {
        label: f"http://{host(label)}:{ports['rebind' if label == 'rebind' else '']}"
        for label in LABELS
    }
    _rebind(zone, (PUBLIC,), ())
    config: dict[str, Any] = configuration(
        free_port(rng), free_port(rng), None, urls, stage.directory / "dns.snapshot"
    )
    sidecar = stage.mortal(config)
    sidecar.launch()
    await sidecar.ready()
    driver = await stage.driver(sidecar.url, GIVE_UP_S)
    seconds = (len(HOSTILE) + 1) * TTL_S
    load = Load(COLD_RATE_PER_S, seconds, SEED, "search", dict.fromkeys(LABELS, 1.0))
    calls = plan(load, "search")
    async with stage.load(
        driver, lambda call: f"/{call.scheme}/payments", calls, "search"
    ) as running:
        for number, (ipv4, ipv6) in enumerate(HOSTILE, start=1):
            await running.at(number * TTL_S)
            _rebind(zone, ipv4, ipv6)
    return running.history


def _rebind(zone: Zone, ipv4: tuple[str, ...], ipv6: tuple[str, ...]) -> None:
    name = host("rebind")
    zone.server.set(name, "A", addresses(*ipv4, ttl_s=TTL_S))
    zone.server.set(name, "AAAA", addresses(*ipv6, ttl_s=TTL_S))


def _library(name: str) -> None:
    """One lookup as most programs make it; that it fails is expected."""
    try:
        socket.getaddrinfo(name, 443, family=socket.AF_INET)
    except socket.gaierror:
        return


if __name__ == "__main__":
    uvloop.run(_inside(Path(sys.argv[1])))

"""INC-26: eight faults at eight partners at once, and who is to blame is said of each.

Played in a network of its own, where there is an address whose loss is the loss of our own
network. What the sidecar is told are real calls over real sockets; what it says is read
from its admin listener, several times a second. Each fault has to be named once, with the right
partner, slice, phase and origin, and at the end nothing else may stand.
"""

from __future__ import annotations

import asyncio
import json
import math
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from loadtests.incidents import namespace
from loadtests.incidents.checker import check
from loadtests.incidents.figures import driver_lag_ms
from loadtests.incidents.history import merged
from loadtests.incidents.inc_26_faults import EXPECTED, NAMES, Expected, House
from loadtests.incidents.process import Process
from loadtests.incidents.progress import Progress
from loadtests.incidents.result import Bar
from loadtests.incidents.run import Measured, Replay, Run
from loadtests.incidents.schedule import Load, PlannedCall, plan
from loadtests.incidents.stage import Running, Stage
from tests.support.dns_server import DnsServer

RATE_PER_S = 8.0
CROWD_PER_S = 100.0
SCHEMES = {"visa": 0.5, "amex": 0.5}
WARM_S = 12.0
FAULT_S = 40.0
STARTING_S = 10.0
FOUND_S = 20.0
_ASK_EVERY_S = 0.05
_PLAYED_WITHIN_S = 180.0


@dataclass(slots=True)
class Seen:
    """What happened inside; handed over as JSON."""

    named_after_s: dict[str, float] = field(default_factory=dict)
    """By fault: from its beginning to the first verdict that is right in everything."""
    sentences: dict[str, str] = field(default_factory=dict)
    otherwise: list[str] = field(default_factory=list)
    """What was said of partners at any time that was not right, or not yet."""
    wrong_at_end: list[str] = field(default_factory=list)
    missing_at_end: list[str] = field(default_factory=list)
    opened: int = 0
    """Incidents that stand at the end."""
    calls: int = 0
    lag_ms: float = 0.0
    dup: int = 0
    lost: int = 0


async def play(run: Run) -> Measured:
    """Start the child in a network of its own, and read what it has seen."""
    directory = run.directory / "faults"
    directory.mkdir(parents=True)
    run.progress.say("eight faults at once, in a network of their own")
    command = [*namespace.UNSHARE, sys.executable, "-m", "loadtests.incidents.inc_26"]
    process = Process("faults", [*command, str(directory)], directory)
    try:
        await process.ended(_PLAYED_WITHIN_S)
    finally:
        await process.stop()
    seen = Seen(**json.loads((directory / "seen.json").read_text(encoding="utf-8")))
    measured = Measured(bars=bars(seen), driver_lag_ms=seen.lag_ms)
    if seen.sentences:
        measured.figures["said"] = dict(seen.sentences)
    if seen.otherwise:
        measured.figures["said besides on the way"] = {
            str(number): text for number, text in enumerate(seen.otherwise, 1)
        }
    times = ", ".join(f"{fault} {s:.1f} s" for fault, s in seen.named_after_s.items())
    measured.summary = f"{len(seen.named_after_s)} of {len(EXPECTED)} named right: {times}"
    return measured


def bars(seen: Seen) -> list[Bar]:
    """All are named right, each in time, nothing else stands, and no payment suffers for it."""
    right = len(EXPECTED) - len(seen.missing_at_end)
    found = [
        Bar(each.fault, "named after", seen.named_after_s.get(each.fault, math.nan), "<=",
            FOUND_S, "s", f"{each.phase}, {each.origin}")
        for each in EXPECTED
    ]  # fmt: skip
    return [
        Bar("all", "named right at the end", right, "=", len(EXPECTED), "",
            ", ".join(seen.missing_at_end)),
        Bar("all", "verdicts that are not right at the end", len(seen.wrong_at_end), "=", 0, "",
            "; ".join(seen.wrong_at_end)),
        Bar("all", "incidents open at the end", seen.opened, "=", len(EXPECTED)),
        *found,
        Bar("all", "dup", seen.dup, "=", 0, "", f"{seen.calls} calls"),
        Bar("all", "lost", seen.lost, "=", 0),
    ]  # fmt: skip


def as_said(verdict: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...], str, str]:
    """Partners, slices, phase and origin of a verdict as it is served."""
    slices = sorted(place["slice"] for place in verdict["places"])
    return tuple(sorted(verdict["partners"])), tuple(slices), verdict["phase"], verdict["origin"]


def matching(verdict: Mapping[str, Any]) -> Expected | None:
    """The fault that a verdict is right about."""
    said = as_said(verdict)
    for each in EXPECTED:
        if said == (each.partners, each.slices, each.phase, each.origin):
            return each
    return None


async def _inside(directory: Path) -> None:
    """What the child does."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    namespace.loopback_up()
    seen = Seen()
    with DnsServer() as server:
        async with Stage(directory, Progress("INC-26")) as stage:
            house = House(stage, server)
            await house.start(STARTING_S + WARM_S)
            await _play(stage, house, seen)
    (directory / "seen.json").write_text(json.dumps(asdict(seen)), encoding="utf-8")


async def _play(stage: Stage, house: House, seen: Seen) -> None:
    config = house.configuration()
    sidecar = stage.mortal(config)
    sidecar.launch()
    await sidecar.ready()
    driver = await stage.driver(sidecar.url, give_up_s=20.0)
    warm_s = max(1.0, house.expires_at - time.time())
    calls = _everywhere(warm_s + FAULT_S)
    crowd = plan(Load(CROWD_PER_S, FAULT_S, 26, "crowded-more", SCHEMES), "crowd")
    admin = f"http://{config['admin']['address']}"
    async with stage.load(driver, _path, calls, "everybody") as running:
        await running.at(warm_s)
        await house.break_down()
        async with stage.load(driver, _path, crowd, "crowd") as crowding:
            await _watch(admin, house, seen, running, warm_s + FAULT_S)
    history = merged([running.history, crowding.history])
    findings = check(history, stage.executions())
    seen.calls, seen.lag_ms = len(history), driver_lag_ms(history)
    seen.dup, seen.lost = findings.dup, findings.lost


def _everywhere(seconds: float) -> Sequence[PlannedCall]:
    """The same load for each partner, in order of time."""
    calls = [
        call
        for number, name in enumerate(NAMES)
        for call in plan(Load(RATE_PER_S, seconds, number, f"{name}-all", SCHEMES), "all")
    ]
    return sorted(calls, key=lambda call: call.offset_s)


def _path(call: PlannedCall) -> str:
    """The route of the partner that the call's reference begins with."""
    name = next(name for name in NAMES if call.reference.startswith(name))
    return f"/{name}/payments"


async def _watch(admin: str, house: House, seen: Seen, running: Running, until_s: float) -> None:
    """Ask what is said until the end, and note when each fault was first named right."""
    ends_at = running.starts_at + until_s - 1.0
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5.0)) as session:
        while time.monotonic() < ends_at:
            verdicts = (await _get(session, f"{admin}/verdicts"))["verdicts"]
            for verdict in verdicts:
                _note(verdict, house, seen)
            await asyncio.sleep(_ASK_EVERY_S)
        overview = await _get(session, f"{admin}/overview")
    right = [matching(verdict) for verdict in verdicts]
    seen.missing_at_end = [each.fault for each in EXPECTED if each not in right]
    seen.wrong_at_end = [
        str(as_said(verdict)) for verdict, each in zip(verdicts, right, strict=True) if each is None
    ]
    seen.opened = len(overview["incidents"])


def _note(verdict: Mapping[str, Any], house: House, seen: Seen) -> None:
    each = matching(verdict)
    if each is None:
        said = str(as_said(verdict))
        if said not in seen.otherwise:
            seen.otherwise.append(said)
        return
    seen.sentences[each.fault] = verdict["sentence"]
    after_s = time.monotonic() - house.broken_at[each.partners[0]]
    seen.named_after_s.setdefault(each.fault, after_s)


async def _get(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    async with session.get(url) as answer:
        answer.raise_for_status()
        document: dict[str, Any] = await answer.json()
        return document


INC_26 = Replay(
    "INC-26", "Eight faults at once: who is it?", 1.0, play, obstacle=namespace.obstacle
)

if __name__ == "__main__":
    uvloop.run(_inside(Path(sys.argv[1])))

"""One fuzz run: the real sidecar, the origin, the clients, and the balance between them."""

from __future__ import annotations

import re
import tempfile
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from loadtests.fuzz import limits, origin
from loadtests.fuzz.balance import balance
from loadtests.fuzz.driver import run_case
from loadtests.fuzz.generator import Case, make
from loadtests.fuzz.judge import Tally, ViolationError
from loadtests.fuzz.processes import Watcher, child, children
from tests.support import config
from tests.support.sidecar import Sidecar

VIOLATIONS_MAX = 10
"""A client stops after so many; the rest of the run would only repeat them."""
BUG_LINE = b'"event":"bug"'
BUG_LINE_SPACED = b'"event": "bug"'
BUGS_METRIC = re.compile(r"^tidegate_bugs_total (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, bounded by requests and by seconds; `only` runs that one case alone."""

    seed: int
    requests_max: int = 0
    seconds_max: float = 3600.0
    clients: int = 4
    loop: str = "uvloop"
    only: int | None = None


@dataclass(slots=True)
class Result:
    """The figures of a run; it passed if there is no violation."""

    requests: int = 0
    cases: int = 0
    forwarded: int = 0
    refused: int = 0
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)


def sidecar_config(port: int) -> config.Document:
    """Tight bounds, so that crossing them is cheap, and one prefix by any host and by a named one.

    Answers pass through one upstream of an operation that moves no money, so
    nothing but the edges decides what happens.
    """
    prefix = limits.PATH_PREFIX.decode()
    hosted = {"name": "hosted", "match": {"host": limits.ROUTE_HOST}}
    return config.document(
        {"origin": config.upstream(port)},
        [
            config.route(prefix, ["origin"], operation="other", **hosted),
            config.route(prefix, ["origin"], operation="other"),
        ],
        listen={
            "request_line_bytes_max": limits.REQUEST_LINE_BYTES_MAX,
            "header_bytes_max": limits.HEADER_BYTES_MAX,
            "header_count_max": limits.HEADER_COUNT_MAX,
            "body_bytes_max": limits.BODY_BYTES_MAX,
            "timeout_header": "5s",
            "timeout_body": "5s",
        },
        log={"calls": True},
    )


def client(plan: Plan, port: int, number: int, pipe: Connection) -> None:
    """Entry point of a client process: every `clients`-th case from `number`, to its share."""
    tally = Tally()
    until = time.monotonic() + plan.seconds_max
    share = max(1, plan.requests_max // plan.clients) if plan.only is None else 1
    index = number if plan.only is None else plan.only
    while tally.requests < share and len(tally.violations) < VIOLATIONS_MAX:
        attempt(plan.seed, port, index, tally)
        index += plan.clients
        if time.monotonic() > until:
            break
    pipe.send(tally)


def attempt(seed: int, port: int, index: int, tally: Tally) -> None:
    """Make and run one case; what it violates goes into the tally."""
    case = make(seed, index)
    try:
        run_case(port, case, tally)
    except (ViolationError, OSError) as error:
        tally.violations.append(told(seed, case, str(error) or type(error).__name__))
        tally.spoilt.add(index)


def told(seed: int, case: Case, what: str) -> str:
    """A violation with all that is needed to see it again."""
    return (
        f"VIOLATION seed={seed} case={case.index} ({case.name}): {what}\n"
        f"  bytes: {case.stream[:4000]!r}\n"
        f"  again: python -m loadtests.fuzz --seed {seed} --case {case.index}"
    )


def run(plan: Plan) -> Result:
    """Run a plan and return its figures; every process it starts is over afterwards."""
    started = time.monotonic()
    watcher = Watcher((limits.CANARY, BUG_LINE, BUG_LINE_SPACED))
    with tempfile.TemporaryDirectory() as folder, child(origin.main) as reports:
        settings = sidecar_config(reports.recv())
        output = watcher.descriptor
        with Sidecar(settings, Path(folder), loop=plan.loop, stdout=output) as sidecar:
            watcher.child_has_it()
            clients = plan.clients if plan.only is None else 1
            shares = [(plan, sidecar.port, number) for number in range(clients)]
            with children(client, shares) as answers:
                tallies: list[Tally] = answers
            own = _end(sidecar)
        watcher.join()
        reports.send(None)
        report: origin.Report = reports.recv()
    result = _summed(tallies)
    result.violations += balance(plan.seed, tallies, report) + own
    result.violations += [f"VIOLATION in the log: {around!r}" for around in watcher.found.values()]
    result.seconds = time.monotonic() - started
    return result


def _end(sidecar: Sidecar) -> list[str]:
    """Drain the sidecar; returns what it did wrong as a process."""
    if not sidecar.alive():
        return [f"VIOLATION the sidecar died: {sidecar.stderr[-2000:]}"]
    wrong = []
    found = BUGS_METRIC.search(sidecar.admin_get("/metrics"))
    if found is None or float(found[1]) > 0:
        wrong.append(f"VIOLATION the metrics tell of bugs: {found and found[0]}")
    code = sidecar.stop()
    if code != 0 or limits.CANARY.decode() in sidecar.stderr or "Traceback" in sidecar.stderr:
        wrong.append(f"VIOLATION the sidecar ended with {code}: {sidecar.stderr[-2000:]}")
    return wrong


def _summed(tallies: list[Tally]) -> Result:
    result = Result()
    for tally in tallies:
        result.requests += tally.requests
        result.cases += tally.cases
        result.forwarded += tally.forwarded
        result.refused += tally.refused
        result.violations += tally.violations
    return result

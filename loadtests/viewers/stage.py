"""The sidecar with four partners and a thousand slices on one core; all others on the other."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.bench.child import Child
from loadtests.bench.foreign import Watch, own_s
from loadtests.bench.host import BenchError, Cores, free_port
from loadtests.bench.subjects.tidegate import run_command
from loadtests.viewers.caller import call
from loadtests.viewers.payload import ROUTES, VALUES
from loadtests.viewers.results import Audience, Visit

READY_TIMEOUT_S = 30.0
POLL_S = 0.05
READY = "ready"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everybody listens."""

    payments: int
    admin: int
    partner: int


def config(ports: Ports) -> dict[str, Any]:
    """Four routes to a partner each; a terminal's number is the dimension of all."""
    numbers = range(ROUTES)
    return {
        "version": 1,
        "listen": {"address": f"127.0.0.1:{ports.payments}"},
        "admin": {"address": f"127.0.0.1:{ports.admin}"},
        "log": {"calls": True},
        "partners": {
            f"partner-{n}": {
                "upstreams": {f"upstream-{n}": {"url": f"http://127.0.0.1:{ports.partner}"}}
            }
            for n in numbers
        },
        "routes": [
            {
                "name": f"shop-{n}",
                "match": {"path": f"/shop-{n}/"},
                "strip_prefix": True,
                "operation": "authorize",
                "candidates": [f"upstream-{n}"],
                "dimensions": [{"name": "terminal", "pointer": "/terminal", "values_max": VALUES}],
                "deadline": "10s",
            }
            for n in numbers
        ],
    }


class Stage:
    """A sidecar and its partner, for the whole run; `window` measures."""

    def __init__(self, directory: Path, cores: Cores) -> None:
        self._directory = directory
        self._cores = cores
        self._opened = ExitStack()
        self._ports = Ports(free_port(), free_port(), free_port())
        self._partner = self._child("partner", self._module("partner", self._ports.partner))
        path = directory / "tidegate.yaml"
        path.write_text(json.dumps(config(self._ports), indent=1), encoding="utf-8")
        self._partner.wait_ready(self._ports.partner)
        self._sidecar = self._child("sidecar", run_command(path), cores.subject)
        self._sidecar.wait_ready(self._ports.payments)
        self._sidecar.wait_ready(self._ports.admin)

    def close(self) -> None:
        """End all of it."""
        self._opened.close()

    def window(self, visit: Visit, calls_per_s: float, seconds: float) -> None:
        """Fill `visit`: calls of one window, watched or not."""
        if not visit.watched:
            self._measure(visit, calls_per_s, seconds, lambda: 0.0)
            return
        with self._audience() as (child, said):
            self._measure(visit, calls_per_s, seconds, child.cpu_s)
            child.stop()
            visit.audience, problems = heard(said)
            visit.problems += problems

    def _measure(
        self, visit: Visit, calls_per_s: float, seconds: float, viewers_s: Callable[[], float]
    ) -> None:
        watches = (
            Watch.begin(self._cores.load, lambda: self._partner.cpu_s() + viewers_s() + own_s()),
            Watch.begin(self._cores.subject, self._sidecar.cpu_s),
        )
        cpu_s, began_at = self._sidecar.cpu_s(), time.monotonic()
        visit.window, problems = call(
            self._ports.payments, self._cores.load, calls_per_s, seconds, visit.pair
        )
        visit.sidecar_cpu_s = self._sidecar.cpu_s() - cpu_s
        visit.seconds = time.monotonic() - began_at
        visit.foreign_share = max(watch.share() for watch in watches)
        visit.problems += problems
        if not self._sidecar.running():
            visit.problems.append(f"the sidecar ended: {self._sidecar.complaint()}")

    @contextmanager
    def _audience(self) -> Iterator[tuple[Child, Path]]:
        """Viewers who have all there is to see, and the file of what they say."""
        child = self._child("audience", self._module("audience", self._ports.admin))
        said = self._directory / "audience" / "stdout"
        give_up_at = time.monotonic() + READY_TIMEOUT_S
        while READY not in said.read_text("utf-8").splitlines():
            if time.monotonic() > give_up_at or not child.running():
                raise BenchError(f"the viewers do not see all slices: {child.complaint()}")
            time.sleep(POLL_S)
        try:
            yield child, said
        finally:
            child.stop()

    def _module(self, name: str, port: int) -> list[str]:
        return [sys.executable, "-m", f"loadtests.viewers.{name}", "--port", str(port)]

    def _child(self, name: str, argv: list[str], core: int | None = None) -> Child:
        """A program with a folder of its own for what it says."""
        place = self._directory / name
        place.mkdir(exist_ok=True)
        on = self._cores.load if core is None else core
        return self._opened.enter_context(Child(argv, on, place, place / "stdout"))


def heard(said: Path) -> tuple[Audience | None, list[str]]:
    """What viewers said at their end, and why they were no audience."""
    last = said.read_text("utf-8").splitlines()[-1]
    if last == READY:
        return None, ["the viewers' process ended without a word"]
    audience = Audience(**json.loads(last))
    return audience, audience.problems()

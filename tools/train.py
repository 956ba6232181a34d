"""Runs the package in FOLDER as applications do: `python -P -m tools.train FOLDER`.

What it runs shows a compiler where the time goes (docs/compiled.md). The number of calls is
fixed, nothing is random, and all of it is checked: where a call is not answered as it has to be,
the training has failed, and says so with the sidecar's own words.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from proxy.sandbox.client import SandboxError
from tools.train_calls import MIXTURE, Caller, Kind, calling
from tools.train_house import House, TrainingError
from tools.train_troubles import TROUBLES, Trouble

PAGES = ("/healthz", "/readyz", "/metrics", "/findings", "/verdicts", "/overview")
_PAGES_EACH_CALLS = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is sent, and how long it may take."""

    alone_calls: int = 1200
    together_calls: int = 3200
    connections: int = 16
    troubled_calls: int = 320
    """While a partner is not well, of each trouble."""
    longest_s: float = 150.0


class Training:
    """One training of a house that has started."""

    def __init__(self, house: House, plan: Plan) -> None:
        self._house = house
        self._plan = plan
        self._until = time.monotonic() + plan.longest_s

    def run(self) -> None:
        """All of it, in order. Raises TrainingError."""
        self._alone("alone", self._plan.alone_calls)
        self._together("together", self._plan.together_calls, MIXTURE)
        for number, trouble in enumerate(TROUBLES):
            self._troubled(f"trouble-{number}", trouble)
        self._alone("after", self._plan.alone_calls // 4)

    def _alone(self, name: str, calls: int) -> None:
        """One call at a time, and now and then the admin pages."""
        with calling(name, self._house.payments) as caller:
            for number, kind in enumerate(islice(cycle(MIXTURE), calls)):
                self._call(caller, kind)
                if number % _PAGES_EACH_CALLS == 0:
                    self._look()

    def _together(
        self, name: str, calls: int, kinds: Sequence[Kind], trouble: Trouble | None = None
    ) -> None:
        """As many calls at once as there are connections."""
        connections = self._plan.connections

        def one(number: int) -> None:
            with calling(f"{name}-{number}", self._house.payments) as caller:
                first = number % len(kinds)
                for kind in islice(cycle(kinds), first, first + calls // connections):
                    self._call(caller, kind, trouble)

        with ThreadPoolExecutor(connections) as pool:
            for _ in pool.map(one, range(connections)):
                self._in_time()

    def _troubled(self, name: str, trouble: Trouble) -> None:
        partner = self._house.partners[trouble.upstream]
        partner.set_faults(*trouble.rules)
        partner.stats()  # connections that a fault cuts are gone once it serves anything after it
        self._together(name, self._plan.troubled_calls, trouble.kinds, trouble)
        if trouble.elsewhere is None and not partner.stats()["faults"]:
            raise TrainingError(f"{trouble.upstream} had no trouble, though it was told to")
        partner.clear()

    def _call(self, caller: Caller, kind: Kind, trouble: Trouble | None = None) -> None:
        self._in_time()
        reply = caller.call(kind, *(trouble.also if trouble else ()))
        wanted = trouble.elsewhere if trouble else None
        if wanted is not None and reply.headers.get("tidegate-upstream") != wanted:
            raise TrainingError(f"{kind.name} was not answered by {wanted}, and had to be")

    def _look(self) -> None:
        for path in PAGES:
            with calling("admin", self._house.admin) as caller:
                host = f"{self._house.admin[0]}:{self._house.admin[1]}"
                reply = caller.ask(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(), path)
                if reply.status != 200:
                    raise TrainingError(f"the admin page {path} was answered {reply.status}")

    def _in_time(self) -> None:
        if time.monotonic() > self._until:
            raise TrainingError(f"it took longer than {self._plan.longest_s:g} s")


def train(package: Path, plan: Plan) -> None:
    """Start everything, send everything, end everything. Raises TrainingError."""
    with House(package) as house:
        trained(house, plan)


def trained(house: House, plan: Plan) -> None:
    """The same with a house that has started; an error has the sidecar's own words beside it."""
    try:
        Training(house, plan).run()
        house.end()
    except (TrainingError, SandboxError) as problem:
        raise TrainingError(f"{problem}\nThe sidecar said:\n{house.said()}") from problem


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; the exit status is 0 when all of it went as it has to."""
    parser = argparse.ArgumentParser(prog="python -m tools.train", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(argv).folder.resolve()
    began_at = time.monotonic()
    try:
        train(folder, Plan())
    except TrainingError as problem:
        print(f"train: {problem}", file=sys.stderr)
        return 1
    print(f"trained for {time.monotonic() - began_at:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

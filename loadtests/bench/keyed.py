"""What it costs to remember: keyed calls, each of them journalled, beside the disk's own speed.

The stores take turns within a round: an empty SQLite file, the same with a
million rows, a PostgreSQL. Every call has a key of its own, so each is claimed,
fenced and settled on the disk. Direct carries the same calls at one connection.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from loadtests.bench.child import Child
from loadtests.bench.measure import SETTLE_S, Bench
from loadtests.bench.results import KeyedVisit, Run
from loadtests.bench.stats import percentile
from loadtests.bench.subjects import DIRECT
from loadtests.bench.subjects.tidegate import Tidegate
from loadtests.incidents.aged import age
from loadtests.incidents.journals import PostgresJournal

SQLITE, AGED, POSTGRES = "sqlite", "sqlite-1m", "postgres"
STORES = (SQLITE, AGED, POSTGRES)
LEVELS = (1, 32)
AGED_ROWS = 1_000_000
AGED_ROWS_QUICK = 10_000
WARM_S = 1
_SYNCS = 500
_SYNC_BYTES = 4096
REST_S = 0.001
"""About what lies between two syncs at one connection. Disk, processor and host are slower to
answer after it than in a row, by half on some machines, and no journal can do anything about
that: so both are told. The bar counts with the quicker one.
"""


def fdatasync_p50_us(directory: Path, rest_s: float = 0.0) -> float:
    """The median of writing a page and waiting for the disk, in the place of the journals; in a
    row, or with a rest before each.
    """
    path = directory / "sync-probe"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    taken = []
    try:
        for number in range(_SYNCS):
            if rest_s:
                time.sleep(rest_s)
            began_at = time.perf_counter()
            os.pwrite(descriptor, b"\0" * _SYNC_BYTES, number * _SYNC_BYTES)
            os.fdatasync(descriptor)
            taken.append((time.perf_counter() - began_at) * 1e6)
    finally:
        os.close(descriptor)
        path.unlink()
    return percentile(taken, 0.5)


@dataclass(slots=True)
class Keyed:
    """One measurement of the stores that are wanted."""

    bench: Bench
    stores: Sequence[str]
    rows: int
    say: Callable[[str], None]

    def measure(self, run: Run) -> None:
        """Fill `run.keyed`; every other round goes backwards."""
        with ExitStack() as opened:
            journals = {store: self._journal(store, opened) for store in self.stores}
            order = [DIRECT, *journals]
            for number in range(1, self.bench.plan.rounds + 1):
                run.rested_syncs_us[number] = fdatasync_p50_us(self.bench.directory, REST_S)
                for store in order if number % 2 else reversed(order):
                    run.keyed.append(self._visit(store, number, journals.get(store), run.syncs_us))

    def _journal(self, store: str, opened: ExitStack) -> dict[str, Any]:
        """The section `journal`, of a journal that is there for the whole run."""
        directory = self.bench.directory / f"journal-{store}"
        directory.mkdir()
        if store == POSTGRES:
            server = PostgresJournal(directory)
            opened.callback(server.close)
            return server.settings()
        path = directory / "journal.db"
        section: dict[str, Any] = {"path": str(path)}
        if store == AGED:
            self.say(f"writing a journal of {self.rows:,} rows")
            with self._sidecar(section):
                pass
            age(path, self.rows)
        return section

    def _visit(
        self, store: str, number: int, journal: dict[str, Any] | None, syncs_us: dict[int, float]
    ) -> KeyedVisit:
        visit = KeyedVisit(store, number)
        if journal is None:
            self._drive(visit, self.bench.upstream_port, (1,))
            return visit
        with self._sidecar(journal) as (child, port):
            time.sleep(SETTLE_S)
            _, problems = self.bench.wrk.keyed(port, LEVELS[-1], WARM_S)
            visit.problems += problems
            beside = [self._sync_us()] if store == SQLITE else []
            self._drive(visit, port, LEVELS[:1])
            if beside:  # what the bar compares has to be of the same seconds
                syncs_us[number] = mean([*beside, self._sync_us()])
            self._drive(visit, port, LEVELS[1:])
            if not child.running():
                visit.problems.append(f"ended under load: {child.complaint()}")
        return visit

    def _sync_us(self) -> float:
        sync_us = fdatasync_p50_us(self.bench.directory)
        self.say(f"fdatasync of the journals' disk: p50 {sync_us:,.0f} us")
        return sync_us

    def _drive(self, visit: KeyedVisit, port: int, levels: Sequence[int]) -> None:
        for connections in levels:
            closed, problems = self.bench.wrk.keyed(port, connections, self.bench.plan.closed_s)
            visit.closed[connections] = closed
            visit.problems += problems
            self.say(
                f"round {visit.round}/{self.bench.plan.rounds} keyed {visit.store:<9} "
                f"{connections:>2} connections {closed.calls_per_s:>7,.0f} calls/s, "
                f"p50 {closed.p50_us:,.0f} us"
            )

    @contextmanager
    def _sidecar(self, journal: dict[str, Any]) -> Iterator[tuple[Child, int]]:
        """A sidecar with this journal on the subject's core, and its port."""
        with self.bench.place() as place:
            launch = Tidegate(journal).launch(place)
            with Child(launch.argv, self.bench.cores.subject, place.directory, place.log) as child:
                child.wait_ready(place.port)
                yield child, place.port

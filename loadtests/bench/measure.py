"""Runs the rounds: each subject alone on its core, the load and the upstream on the other."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loadtests.bench.calllog import count_log, log_problems
from loadtests.bench.child import Child
from loadtests.bench.foreign import Watch, own_s
from loadtests.bench.host import Cores, free_port
from loadtests.bench.load import Wrk
from loadtests.bench.openloop import open_loop
from loadtests.bench.results import Run, Visit
from loadtests.bench.subjects import DIRECT, Place, Subject
from loadtests.bench.telemetry import Exports

WARM_CONNECTIONS = 32
WARM_SECONDS = 1
SETTLE_S = 1.0  # from ready to "idle": late imports are done by then
STARTS = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how hard; `open_calls_per_s` is for the open loop."""

    rounds: int
    closed_s: int
    open_s: int
    levels: tuple[int, ...] = (1, 8, 32, 64)
    open_calls_per_s: int = 500

    def seconds(self, subjects: int) -> float:
        """Roughly how long the whole run takes, in seconds."""
        visit = WARM_SECONDS + SETTLE_S + len(self.levels) * self.closed_s + self.open_s + 3
        return self.rounds * subjects * visit


@dataclass(slots=True)
class Bench:
    """One run over the subjects that are present."""

    plan: Plan
    cores: Cores
    wrk: Wrk
    upstream: Child
    upstream_port: int
    directory: Path
    say: Callable[[str], None]
    collector: Child
    """For subjects with telemetry; it has its place on the load core in every visit."""
    exports: Exports

    def measure(self, run: Run, subjects: Sequence[Subject], with_direct: bool) -> None:
        """Fill `run` with the visits of all rounds; every other round goes backwards."""
        order: list[Subject | None] = [None] if with_direct else []
        order += subjects
        for number in range(1, self.plan.rounds + 1):
            for subject in order if number % 2 else reversed(order):
                visit = self._visit(subject, number)
                run.visits.append(visit)
                for problem in visit.problems:
                    self.say(f"  PROBLEM {visit.subject}: {problem}")

    def start_times(self, subject: Subject) -> list[float]:
        """Seconds from exec to an accepting payment port, of several starts on the subject core."""
        times = []
        for _ in range(STARTS):
            with self.place() as place, self._start(subject, place) as child:
                times.append(child.wait_ready(place.port))
        return times

    def _visit(self, subject: Subject | None, number: int) -> Visit:
        """One subject in one round, from start to the reading of its log."""
        if subject is None:
            visit = Visit(DIRECT, number)
            watch = self._watch_load()
            self._drive(visit, self.upstream_port)
            visit.foreign_share = watch.share()
            return visit
        visit = Visit(subject.name, number)
        with self.place() as place:
            with self._start(subject, place) as child:
                child.wait_ready(place.port)
                time.sleep(SETTLE_S)
                visit.rss_idle_mb = child.rss_mb()
                if subject.told is not None:
                    self.exports.begin(subject.told, place.admin_port)
                watches = (self._watch_load(), Watch.begin(self.cores.subject, child.cpu_s))
                warm = self._drive(visit, place.port)
                visit.foreign_share = max(watch.share() for watch in watches)
                visit.rss_loaded_mb = child.rss_mb()
                if subject.told is not None:
                    self.exports.rest()
                if not child.running():
                    visit.problems.append(f"ended under load: {child.complaint()}")
            calls = visit.calls() + warm
            self._prove(visit, subject, place, calls)
        return visit

    def _prove(self, visit: Visit, subject: Subject, place: Place, calls: int) -> None:
        """Its log has every call; its telemetry, where it has some, was on."""
        cut_off = sum(self.plan.levels) + WARM_CONNECTIONS
        count = count_log(place.log, subject.fields)
        visit.problems += log_problems(count, subject.fields, calls, cut_off)
        if subject.told is not None:
            visit.exported, problems = self.exports.seen(subject.told, calls)
            visit.problems += problems

    def _drive(self, visit: Visit, port: int) -> int:
        """Warm up, closed loop at each level, open loop. Returns the calls of the warm-up."""
        warm, problems = self.wrk.closed_loop(port, WARM_CONNECTIONS, WARM_SECONDS)
        visit.problems += problems
        for connections in self.plan.levels:
            closed, problems = self.wrk.closed_loop(port, connections, self.plan.closed_s)
            visit.closed[connections] = closed
            visit.problems += problems
            self._tell(visit, f"{connections:>2} connections {closed.calls_per_s:>9,.0f} calls/s")
        visit.opened, problems = open_loop(
            port, self.cores.load, self.plan.open_calls_per_s, self.plan.open_s, visit.round
        )
        visit.problems += problems
        if visit.opened:
            figures = f"p50 {visit.opened.p50_us:,.0f} us, p99 {visit.opened.p99_us:,.0f} us"
            self._tell(visit, f"{self.plan.open_calls_per_s} calls/s open loop: {figures}")
        return warm.calls

    def _watch_load(self) -> Watch:
        """The load core, which upstream, collector, load and this process have to themselves."""
        return Watch.begin(self.cores.load, self._ours_s)

    def _ours_s(self) -> float:
        return self.upstream.cpu_s() + self.collector.cpu_s() + own_s()

    def _tell(self, visit: Visit, text: str) -> None:
        self.say(f"round {visit.round}/{self.plan.rounds} {visit.subject:<15} {text}")

    def _start(self, subject: Subject, place: Place) -> Child:
        launch = subject.launch(place)
        stdout = place.log if launch.logs_to_stdout else place.stdout
        return Child(launch.argv, self.cores.subject, place.directory, stdout)

    @contextmanager
    def place(self) -> Iterator[Place]:
        """A fresh directory and port; the directory (its log may have 100 MB) goes afterwards."""
        directory = Path(tempfile.mkdtemp(dir=self.directory))
        try:
            ports = free_port(), self.upstream_port, free_port(), self.exports.port
            yield Place(directory, *ports)
        finally:
            shutil.rmtree(directory)

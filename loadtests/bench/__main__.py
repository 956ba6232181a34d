"""Command line of the bench: `python -m loadtests.bench`, run by `make bench`.

Exit status: 0 all bars met in a valid run; 1 a bar failed, the run is invalid, or a subject that
the bars need was asked for but is absent; 2 the bench could not be run.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from loadtests.bench import judge, plot, report
from loadtests.bench.child import Child
from loadtests.bench.host import (
    REPOSITORY,
    BenchError,
    Cores,
    choose_cores,
    describe_machine,
    free_port,
)
from loadtests.bench.keyed import AGED_ROWS, AGED_ROWS_QUICK, STORES, Keyed
from loadtests.bench.load import Wrk, find_wrk, wrk_version
from loadtests.bench.measure import Bench, Plan
from loadtests.bench.payload import wrk_script
from loadtests.bench.results import Run
from loadtests.bench.subjects import DIRECT, NAMES, SUBJECTS, Subject
from loadtests.bench.subjects.nginx import upstream_command
from loadtests.bench.telemetry import Exports, command
from loadtests.viewers import run as viewers

OUT = REPOSITORY / "loadtests" / "out"
ALL = (*NAMES, *STORES)
"""The stores are subjects of their own kind: tidegate with keyed calls and a journal in them."""
NEEDED = (DIRECT, "tidegate", "envoy", "envoy-traced", "aiohttp")


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Options; `subjects` becomes a list of known names."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1 round of 1 s: shows that it works")
    parser.add_argument("--subjects", type=_subjects, default=list(ALL), metavar="A,B,...")
    parser.add_argument("--seconds", type=_positive, help="closed loop per level (default 4)")
    parser.add_argument("--rounds", type=_positive, help="rounds, alternating order (default 3)")
    parser.add_argument(
        "--viewers",
        action="store_true",
        help="instead: what ten viewers of the "
        "dashboard do to calls; --seconds is of a window (default 10)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="default: in loadtests/out")
    parser.add_argument("--plot", type=Path, default=OUT / "bench.png", metavar="FILE")
    args = parser.parse_args(argv)
    args.json = args.json or OUT / ("viewers.json" if args.viewers else "bench.json")
    return args


def _subjects(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    unknown = [name for name in names if name not in ALL]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"choose from {', '.join(ALL)}")
    return list(dict.fromkeys(names))


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError("a whole number from 1")
    return int(text)


def make_plan(args: argparse.Namespace) -> Plan:
    """The open loop lasts twice as long: 8 s at 500 calls/s are 4,000 samples for the p99."""
    closed_s = args.seconds or (1 if args.quick else 4)
    rounds = args.rounds or (1 if args.quick else 3)
    return Plan(rounds=rounds, closed_s=closed_s, open_s=2 * closed_s)


def say(text: str) -> None:
    """A line of progress, at once."""
    print(text, flush=True)


def present_subjects(names: Sequence[str], run: Run) -> list[Subject]:
    """The wanted subjects that are here; the others are noted in `run.absent` and announced."""
    present = []
    for name in names:
        if name == DIRECT or name in STORES:
            continue
        subject = SUBJECTS[name]
        why = subject.absent()
        if why is None:
            run.versions[name] = subject.version()
            present.append(subject)
        else:
            run.absent[name] = why
            say(f"absent: {name}: {why}")
    return present


def measure_all(args: argparse.Namespace, plan: Plan, cores: Cores) -> Run:
    """Start the upstream, measure everything, leave nothing running."""
    run = Run()
    program = find_wrk()
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # nginx's worker may run as another user
        argv = upstream_command(directory, port)
        subjects = present_subjects(args.subjects, run)
        run.versions["wrk"] = wrk_version(program)
        run.versions["upstream"] = f"nginx {SUBJECTS['nginx'].version()}"
        say(f"about {plan.seconds(len(args.subjects)) / 60:.0f} min")
        script = directory / "post.lua"
        script.write_text(wrk_script(), encoding="ascii")
        wrk = Wrk(program, script, cores.load)
        with (
            Child(argv, cores.load, directory, directory / "stdout") as upstream,
            _collector(cores, directory) as (collector, exports),
        ):
            upstream.wait_ready(port)
            bench = Bench(plan, cores, wrk, upstream, port, directory, say, collector, exports)
            for subject in subjects:
                run.ready_s[subject.name] = bench.start_times(subject)
            if subjects:
                bench.measure(run, subjects, with_direct=DIRECT in args.subjects)
            stores = [name for name in args.subjects if name in STORES]
            if stores:
                rows = AGED_ROWS_QUICK if args.quick else AGED_ROWS
                Keyed(bench, stores, rows, say).measure(run)
    return run


@contextmanager
def _collector(cores: Cores, directory: Path) -> Iterator[tuple[Child, Exports]]:
    """The receiver of telemetry, with a folder of its own for what it complains of."""
    place, port = directory / "collector", free_port()
    place.mkdir()
    with Child(command(port), cores.load, place, place / "stdout") as collector:
        collector.wait_ready(port)
        yield collector, Exports(port)


def write_results(args: argparse.Namespace, run: Run, setting: report.Setting) -> None:
    """JSON, plot (or why there is none) and tables."""
    say("\n" + report.to_text(run, setting) + "\n")
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(report.to_json(run, setting), indent=1) + "\n", "utf-8")
    say(f"figures: {args.json}")
    why = plot.missing(run)
    if why is None:
        args.plot.parent.mkdir(parents=True, exist_ok=True)
        plot.draw(run, setting, args.plot)
        say(f"plot: {args.plot}")
    else:
        say(f"no plot: {why}")


def verdict(run: Run) -> int:
    """The exit status that a finished run deserves."""
    failed = any(bar.verdict == "fail" for bar in judge.bars(run))
    lacking = any(name in run.absent for name in NEEDED)
    return 1 if failed or lacking or judge.invalid_reasons(run) else 0


def watch(args: argparse.Namespace, cores: Cores, started: str) -> int:
    """What viewers of the dashboard do to calls."""
    plan = viewers.Plan(args.rounds or (1 if args.quick else 4), args.seconds or 10)
    setting = viewers.Setting(
        started, args.quick, viewers.CALLS_PER_S, plan.window_s, describe_machine()
    )
    return viewers.write(viewers.play(plan, cores, say), setting, args.json, say)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench; returns the exit status."""
    args = parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so children are ended
    plan = make_plan(args)
    try:
        cores = choose_cores()
        os.sched_setaffinity(0, {cores.load})
        started = datetime.now(UTC).isoformat(timespec="seconds")
        if args.viewers:
            return watch(args, cores, started)
        setting = report.Setting(started, args.quick, plan, describe_machine())
        run = measure_all(args, plan, cores)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    write_results(args, run, setting)
    return verdict(run)


if __name__ == "__main__":
    sys.exit(main())

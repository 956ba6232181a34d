"""`python -m loadtests.incidents`: play replays, print their bars, write JSON.

Exit code 0 if every bar held, 1 if one fell short or a replay broke, 2 for a
wrong command line or a replay that cannot be played here, 130 if it was
stopped by Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from loadtests.incidents.journals import STORES
from loadtests.incidents.process import ReplayError
from loadtests.incidents.progress import Progress
from loadtests.incidents.registry import REPLAYS, chosen
from loadtests.incidents.report import table
from loadtests.incidents.result import Result, as_json
from loadtests.incidents.run import Replay, Run
from proxy.sandbox.client import SandboxError

_OUT = Path(__file__).parents[1] / "out" / "incidents.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the replays that the command line names; the process's exit code."""
    options = _parser().parse_args(arguments)
    try:
        replays = chosen(options.only)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    directory = Path(tempfile.mkdtemp(prefix="tidegate-incidents-"))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            results = runner.run(_play_all(replays, options, directory))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("stopped; every process that was started has been ended", file=sys.stderr)
        return 130
    finally:
        if options.keep:
            print(f"kept: {directory}", file=sys.stderr)
        else:
            shutil.rmtree(directory)
    _write(options.json, results, quick=options.quick)
    if any(not result.held and not result.refused for result in results):
        return 1
    return 2 if any(result.refused for result in results) else 0


async def _play_all(
    replays: Sequence[Replay], options: argparse.Namespace, directory: Path
) -> list[Result]:
    """Play one after the other. SIGTERM ends a run as Ctrl-C does: children first."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    results = []
    played = [
        (replay, store)
        for replay in replays
        for store in replay.stores
        if options.store in (None, store)
    ]
    for replay, store in played:
        run = Run(
            quick=options.quick,
            factor=replay.factor_quick if options.quick else 1.0,
            directory=directory / f"{replay.id}-{store}",
            progress=Progress(f"{replay.id} {store}" if len(replay.stores) > 1 else replay.id),
            store=store,
            kills=options.kills,
        )
        result = await _play(replay, run)
        print(table(result), flush=True)
        results.append(result)
    return results


async def _play(replay: Replay, run: Run) -> Result:
    """One replay's result; one that could not be carried through has failed, and says why."""
    began_at = time.monotonic()
    title = f"{replay.title} ({run.store})" if len(replay.stores) > 1 else replay.title
    result = Result(replay.id, title, run.factor)
    obstacle = replay.obstacle()
    if obstacle is not None:
        return replace(result, error=obstacle, refused=True)
    try:
        measured = await replay.play(run)
    except (ReplayError, SandboxError) as error:
        print(error, file=sys.stderr)
        result = replace(result, error=str(error))
    else:
        result = replace(
            result,
            bars=tuple(measured.bars),
            figures=measured.figures,
            arms=tuple(measured.arms),
            summary=measured.summary,
            driver_lag_ms=measured.driver_lag_ms,
        )
        if measured.refused and result.held:
            result = replace(result, error=measured.refused, refused=True)
    return replace(result, seconds=time.monotonic() - began_at)


def _write(path: Path, results: Sequence[Result], *, quick: bool) -> None:
    document = as_json(results, quick=quick, written_at=datetime.now(UTC).isoformat())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(f"written: {path}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.incidents",
        description="Replay real incidents against the real sidecar process.",
        epilog=f"replays: {', '.join(REPLAYS)}",
    )
    parser.add_argument("--only", metavar="IDS", help="comma-separated ids, such as INC-04,INC-08")
    parser.add_argument("--quick", action="store_true", help="the short form, intervals scaled")
    parser.add_argument("--json", type=Path, default=_OUT, metavar="FILE", help="where figures go")
    parser.add_argument("--store", choices=tuple(STORES), help="only on this journal")
    parser.add_argument("--kills", type=int, metavar="N", help="how often INC-15 kills the sidecar")
    parser.add_argument("--keep", action="store_true", help="keep logs, ledgers and histories")
    return parser


if __name__ == "__main__":
    sys.exit(main())

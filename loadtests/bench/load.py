"""Closed loop: runs wrk and understands what the script in `payload.py` prints."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loadtests.bench.host import BenchError, need_program, spawning_on
from loadtests.bench.payload import PATH, keyed_script
from loadtests.bench.results import Closed

MARK = "BENCH "
ERRORS = ("connect", "read", "write", "timeout", "status")
GRACE_S = 20


def parse_wrk(output: str, connections: int) -> tuple[Closed, list[str]]:
    """Figures and problems out of wrk's output.

    Raises BenchError when the line is missing or no call was answered.
    """
    lines = [line for line in output.splitlines() if line.startswith(MARK)]
    if len(lines) != 1:
        raise BenchError(f"wrk printed {len(lines)} result lines instead of one: {output[-500:]}")
    figures: dict[str, int] = json.loads(lines[0].removeprefix(MARK))
    problems = [
        f"{connections} connections: {figures[kind]} {kind} errors"
        for kind in ERRORS
        if figures[kind]
    ]
    seconds = figures["duration_us"] / 1e6
    closed = Closed(
        connections=connections,
        calls=figures["calls"] - figures["status"],
        calls_per_s=figures["calls"] / seconds if seconds else 0.0,
        p50_us=float(figures["p50_us"]),
        p99_us=float(figures["p99_us"]),
    )
    if closed.calls <= 0:
        problems.append(f"{connections} connections: no call was answered")
    return closed, problems


@dataclass(frozen=True, slots=True)
class Wrk:
    """wrk with its script, pinned to the load core, one thread."""

    program: str
    script: Path
    core: int

    def closed_loop(self, port: int, connections: int, seconds: int) -> tuple[Closed, list[str]]:
        """Drive `port` for whole seconds."""
        return self._run(self.script, port, connections, seconds)

    def keyed(self, port: int, connections: int, seconds: int) -> tuple[Closed, list[str]]:
        """The same, and each call has an idempotency key that was never used before."""
        script = self.script.with_name("keyed.lua")
        script.write_text(keyed_script(secrets.token_hex(6)), encoding="ascii")
        return self._run(script, port, connections, seconds)

    def _run(
        self, script: Path, port: int, connections: int, seconds: int
    ) -> tuple[Closed, list[str]]:
        argv: Sequence[str] = (
            *(self.program, "-t1", f"-c{connections}", f"-d{seconds}s"),
            *("-s", str(script), f"http://127.0.0.1:{port}{PATH}"),
        )
        with spawning_on(self.core):
            done = subprocess.run(
                argv, capture_output=True, text=True, timeout=seconds + GRACE_S, check=False
            )
        if done.returncode != 0:
            raise BenchError(f"wrk ended with {done.returncode}: {done.stderr.strip()}")
        return parse_wrk(done.stdout, connections)


def find_wrk() -> str:
    """Path of wrk, or an error that names the package."""
    return need_program("wrk", "wrk")


def wrk_version(program: str) -> str:
    """The second word of `wrk debian/4.1.0-3 …` (wrk exits 1 when asked for its version)."""
    argv = [program, "-v"]
    shown = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False).stdout
    return shown.split()[1] if shown.startswith("wrk ") else "unknown"

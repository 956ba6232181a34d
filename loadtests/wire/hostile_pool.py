"""Whose answer is it? A hostile origin behind the sidecar's pool, and nonces that tell.

    python -m loadtests.wire.hostile_pool [--responses 1000000] [--seed N]

Arm `reuse` keeps connections and lets the origin disturb them while idle, cut
them, and append to its answers. Arm `fresh` uses each connection once, keeps 8
ready, and lets the origin also send complete, well-formed answers that nobody
asked for. These go out only while no request has reached the origin; one that
was on its way (0.1 ms on loopback) counts as `crossed`, since nobody could tell. On a
busy machine that time has no bound: with `busy` whatever was called before the bytes
were sent is excused, and only what was called after them is mixed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.fuzz.processes import child
from loadtests.wire import hostile_client, hostile_origin
from tests.support import config
from tests.support.sidecar import Sidecar

ARMS: dict[str, dict[str, Any]] = {
    "reuse": {"connections_max": 64},
    "fresh": {"connections_max": 64, "reuse": False, "prewarm": 8},
}


@dataclass(frozen=True, slots=True)
class Figures:
    """One arm.

    `mixed`: got an answer that is not theirs. `lies`: said to be not executed,
    but it was. `duplicates`: executed twice. `crossed`: see above.
    """

    arm: str
    responses: int
    ok: int
    in_doubt: int
    unsent: int
    mixed: int
    crossed: int
    lies: int
    duplicates: int
    seconds: float
    outcomes: dict[str, int]
    violations: list[str]

    @property
    def passed(self) -> bool:
        """Whether nothing was mixed, no label lied and nothing else went wrong."""
        return not (self.mixed or self.lies or self.duplicates or self.violations)

    def line(self) -> str:
        """The figures in one line."""
        return (
            f"hostile_pool {self.arm} {'pass' if self.passed else 'fail'}: "
            f"responses={self.responses} ok={self.ok} in_doubt={self.in_doubt} "
            f"unsent={self.unsent} mixed={self.mixed} crossed={self.crossed} lies={self.lies} "
            f"duplicates={self.duplicates} seconds={self.seconds:.1f} "
            f"rate={self.responses / self.seconds:.0f}/s"
        )


def run_arm(
    arm: str,
    responses: int,
    seed: int,
    *,
    connections: int = 48,
    loop: str = "uvloop",
    busy: bool = False,
) -> Figures:
    """Run one arm against a sidecar of its own; every process is over afterwards."""
    started = time.monotonic()
    pool = ARMS[arm]
    with (
        tempfile.TemporaryDirectory() as folder,
        child(hostile_origin.main, seed, arm == "fresh") as origin,
    ):
        settings = config.document(
            {"hostile": config.upstream(origin.recv(), pool=pool, breaker={"mode": "off"})},
            [config.route("/charges", ["hostile"])],
            log={"calls": False},
        )
        with Sidecar(settings, Path(folder), loop=loop) as sidecar:
            call = (sidecar.port, 1, responses, connections)
            with child(hostile_client.main, *call) as client:
                seen: hostile_client.Seen = client.recv()
            code = sidecar.stop() if sidecar.alive() else sidecar.wait()
            said = sidecar.stderr
        origin.send(None)
        executed: hostile_origin.Executed = origin.recv()
    if code != 0 or "Traceback" in said or '"bug"' in said:
        seen.violate(f"the sidecar ended with {code}: {said[-2000:]}")
    if seen.responses != responses:
        seen.violate(f"{seen.responses} replies to {responses} calls")
    return figures_of(arm, seen, executed, time.monotonic() - started, busy=busy)


def figures_of(
    arm: str,
    seen: hostile_client.Seen,
    executed: hostile_origin.Executed,
    seconds: float,
    *,
    busy: bool = False,
) -> Figures:
    """Hold what the clients were told against what the origin did."""
    lies = [nonce for nonce in seen.none if executed.counts[nonce]]
    duplicates = [nonce for nonce, count in executed.counts.items() if count > 1]
    excused = set(executed.crossed)
    if busy:
        excused |= {
            nonce
            for nonce, (begun_at, number) in seen.mixed.items()
            if begun_at < executed.unasked[number]
        }
    mixed = [nonce for nonce in seen.mixed if nonce not in excused]
    told = [f"MIXED: the answer to nonce {nonce} is another's" for nonce in mixed[:5]]
    told += [f"LIE: execution none, but executed: nonce {nonce}" for nonce in lies[:5]]
    told += [f"DUPLICATE: executed more than once: nonce {nonce}" for nonce in duplicates[:5]]
    by_outcome = seen.outcomes
    return Figures(
        arm=arm,
        responses=seen.responses,
        ok=seen.ok,
        in_doubt=sum(n for name, n in by_outcome.items() if name.startswith("in_doubt")),
        unsent=sum(n for name, n in by_outcome.items() if name.startswith("unsent")),
        mixed=len(mixed),
        crossed=len(executed.crossed),
        lies=len(lies),
        duplicates=len(duplicates),
        seconds=seconds,
        outcomes=dict(by_outcome.most_common()),
        violations=seen.violations + told,
    )


def main() -> int:
    """Run the arms, print figures and violations; 0 if both passed."""
    parser = argparse.ArgumentParser(description="hostile origins behind the pool")
    parser.add_argument("--responses", type=int, default=1_000_000, help="per arm")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--connections", type=int, default=48)
    parser.add_argument("--arm", choices=tuple(ARMS), action="append")
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop")
    options = parser.parse_args()
    print(f"hostile_pool: seed={options.seed}", flush=True)
    passed = True
    for arm in options.arm or tuple(ARMS):
        figures = run_arm(
            arm,
            options.responses,
            options.seed,
            connections=options.connections,
            loop=options.loop,
        )
        for violation in figures.violations:
            print(f"  {violation}")
        for outcome, count in figures.outcomes.items():
            print(f"  {count:8} {outcome}")
        print(figures.line(), flush=True)
        passed = passed and figures.passed
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())

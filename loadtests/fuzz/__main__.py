"""Command line of the fuzzer: `python -m loadtests.fuzz [--requests N] [--seed N]`."""

from __future__ import annotations

import argparse
import random
import sys

from loadtests.fuzz.generator import make
from loadtests.fuzz.run import Plan, run


def main() -> int:
    """Run, print the figures and every violation; 0 if there is none."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=2_000_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--seconds-max", type=float, default=3600.0)
    parser.add_argument("--clients", type=int, default=4, help="client processes")
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop")
    parser.add_argument("--case", type=int, help="run this one case alone and show it")
    options = parser.parse_args()
    plan = Plan(
        seed=options.seed,
        requests_max=options.requests,
        seconds_max=options.seconds_max,
        clients=options.clients,
        loop=options.loop,
        only=options.case,
    )
    print(f"fuzz: seed={plan.seed} requests={plan.requests_max} clients={plan.clients}", flush=True)
    if plan.only is not None:
        case = make(plan.seed, plan.only)
        print(f"case {case.index} ({case.name}): {len(case.pieces)} pieces: {case.stream!r}")
        print("\n".join(f"  reading: {reading!r:.1000}" for reading in case.readings))
    result = run(plan)
    for violation in result.violations:
        print(violation)
    enough = plan.only is not None or result.requests >= plan.requests_max
    verdict = "pass" if enough and not result.violations else "fail"
    print(
        f"fuzz {verdict}: requests={result.requests} cases={result.cases} "
        f"forwarded={result.forwarded} refused={result.refused} "
        f"violations={len(result.violations)} seconds={result.seconds:.1f} "
        f"rate={result.requests / result.seconds:.0f}/s seed={plan.seed}"
    )
    return 0 if verdict == "pass" else 1


if __name__ == "__main__":
    sys.exit(main())

"""Holds what the clients were told against what the origin really got. PURE."""

from __future__ import annotations

import collections

from loadtests.fuzz.judge import Tally
from loadtests.fuzz.limits import SUBS_MAX
from loadtests.fuzz.origin import Report

SHOWN_MAX = 5


def balance(seed: int, tallies: list[Tally], report: Report) -> list[str]:
    """Every request at the origin was answered to a client exactly once, and nothing else came.

    A case that already violated something, and requests whose client hung up,
    may be there once or not at all.
    """
    seen: collections.Counter[int] = collections.Counter()
    uncertain: set[int] = set()
    spoilt: set[int] = set()
    for tally in tallies:
        seen.update(tally.counts)
        uncertain |= tally.uncertain
        spoilt |= tally.spoilt
    wrong = []
    for number in sorted(seen.keys() | report.counts.keys()):
        got, answered = report.counts[number], seen[number]
        if got == answered or (number in uncertain and got <= 1) or number // SUBS_MAX in spoilt:
            continue
        wrong.append(
            f"VIOLATION request {number % SUBS_MAX} of case {number // SUBS_MAX}: "
            f"{got} at the origin, {answered} answered\n"
            f"  again: python -m loadtests.fuzz --seed {seed} --case {number // SUBS_MAX}"
        )
    anonymous = sum(tally.anonymous for tally in tallies)
    if anonymous != report.anonymous and not spoilt:
        wrong.append(
            f"VIOLATION {report.anonymous} requests without a case number at the origin, "
            f"{anonymous} answered: {report.anonymous_raw[-SHOWN_MAX:]!r}"
        )
    return wrong[:SHOWN_MAX] + [f"VIOLATION at the origin: {each}" for each in report.problems]

"""PURE. The last way out: where every candidate's guard refuses, the best one is throttled.

Health signals may be wrong for all candidates at once, and a payment that could
have been tried is lost for certain if it is not. So one in five calls is let
through at least, and more as they succeed.

The share refused is that of Envoy's admission control, and so of the client-side
throttling in Google's "Site Reliability Engineering", chapter 21:

    p = max(0, (n - s / threshold) / (n + 1)) ^ (1 / aggression), at most 80 %

n and s, the calls let through and their successes, are forgotten by half each
second, not after Envoy's 30 s: full traffic is to be back within 5 s of the first
successes. A quiet route is hardly throttled at all, which is meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from proxy.guard.permit import State

THRESHOLD = 0.95
"""No refusals where this share succeeds (Envoy's default)."""
AGGRESSION = 1.0
"""Linear (Envoy's default)."""
REFUSED_MAX = 0.8
"""Envoy's default."""
HALF_LIFE_S = 1.0


@dataclass(frozen=True, slots=True)
class Chance:
    """What is known of one candidate, in the route's order."""

    state: State
    calls: int
    failures: int


def best(candidates: Sequence[Chance]) -> int | None:
    """Which candidate is the last way; None where an operator has isolated them all.

    The one that is likeliest to succeed by Laplace's rule of succession, (successes + 1) / (calls
    + 2), the earlier among equals: nothing known is even odds, and each failure makes way for the
    next candidate.
    """
    chosen, likeliest = None, 0.0
    for index, each in enumerate(candidates):
        if each.state is State.ISOLATED:
            continue
        likely = (each.calls - each.failures + 1) / (each.calls + 2)
        if likely > likeliest:
            chosen, likeliest = index, likely
    return chosen


def refused_share(calls: float, successes: float) -> float:
    """The share to refuse, from 0.0 to `REFUSED_MAX`."""
    surplus = (calls - successes / THRESHOLD) / (calls + 1.0)
    if surplus <= 0.0:
        return 0.0
    return float(min(REFUSED_MAX, surplus ** (1.0 / AGGRESSION)))


class LastWay:
    """The throttle of one route. Exact, not by chance: of five calls in a row at least one goes."""

    __slots__ = ("_at", "_calls", "_credit", "_successes")

    def __init__(self, now: float) -> None:
        self._at = now
        self._calls = 0.0
        self._successes = 0.0
        self._credit = 1.0

    def admits(self, now: float) -> bool:
        """Whether this call is let through."""
        self._forget(now)
        self._credit += 1.0 - refused_share(self._calls, self._successes)
        if self._credit < 1.0:
            return False
        self._credit = min(1.0, self._credit - 1.0)
        return True

    def ended(self, success: bool, now: float) -> None:
        """A call that was let through has ended, with a verdict."""
        self._forget(now)
        self._calls += 1.0
        self._successes += success

    def admitted_share(self, now: float) -> float:
        """What is let through at this instant, for people."""
        self._forget(now)
        return 1.0 - refused_share(self._calls, self._successes)

    def _forget(self, now: float) -> None:
        passed_s = now - self._at
        if passed_s > 0.0:
            keep = 0.5 ** (passed_s / HALF_LIFE_S)
            self._calls *= keep
            self._successes *= keep
            self._at = now

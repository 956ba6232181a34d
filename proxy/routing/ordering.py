"""PURE. The order of candidates: by weight and key, or by what is known of their health.

By weight each candidate draws a number from the call's key and its own name, and
the draws are weighed (rendezvous hashing). So a key has one order for ever, shares
are as the weights, and taking a candidate away moves its own calls alone.

By health each has a cost: the time of its answers, and for the share that clearly
fails as much again as a failed call costs somebody. Who stands behind moves ahead
only if it is clearly cheaper; back to the file's order it comes as soon as it is no
dearer. In between nothing moves, so the order does not flap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from math import inf, log

from proxy.model.ordering import Condition
from proxy.model.route import Candidate, Route

CALLS_MIN = 5
"""Fewer in a minute say nothing of a candidate."""
FAILED_S = 10.0
"""What a failed call costs: about what somebody waits who tries again by hand."""
AHEAD = 0.7
"""Cheaper than this much of the other's cost is clearly cheaper."""
_RANGE = float(1 << 64)


def by_weight(
    candidates: tuple[Candidate, ...], weights: Mapping[str, int], key: bytes
) -> tuple[Candidate, ...]:
    """The order for a key; a weight of 0 comes last, none is 1."""
    return tuple(sorted(candidates, key=lambda each: _draw(each.upstream.name, weights, key)))


def shares(route: Route) -> dict[str, float]:
    """By upstream: which share of the calls goes there first, by the weights."""
    weights = route.ordering.weights
    parts = {each.upstream.name: weights.get(each.upstream.name, 1) for each in route.candidates}
    total = sum(parts.values())
    return {name: part / total if total else 0.0 for name, part in parts.items()}


def _draw(name: str, weights: Mapping[str, int], key: bytes) -> float:
    weight = weights.get(name, 1)
    if not weight:
        return inf
    drawn = int.from_bytes(blake2b(key, digest_size=8, key=name.encode()).digest(), "big")
    return -log((drawn + 1) / _RANGE) / weight


def cost_s(condition: Condition | None) -> float | None:
    """What a call there costs; None where too little is known."""
    if condition is None or condition.calls < CALLS_MIN or condition.p50_s is None:
        return None
    return condition.p50_s + condition.failing_low * FAILED_S


def reviewed(order: Sequence[int], costs: Sequence[float | None]) -> tuple[int, ...]:
    """The order after another look; numbers are places in the file."""
    found = list(order)
    for _ in found:
        for place in range(1, len(found)):
            ahead, behind = found[place - 1], found[place]
            if _passes(behind, ahead, costs):
                found[place - 1], found[place] = behind, ahead
    return tuple(found)


def _passes(behind: int, ahead: int, costs: Sequence[float | None]) -> bool:
    mine, other = costs[behind], costs[ahead]
    if mine is None or other is None:
        return False
    return mine <= other if behind < ahead else mine < AHEAD * other

"""PURE. From the window to a finding: degraded, to be opened, or nothing.

The last 3 s, 4 s and so on up to 60 s are looked at, each by itself: a partner
that dies is found in the short ones, before its good minutes are forgotten, and
one that fails for a small share in the long ones, which hold enough calls.

A blip of up to 2 s is not acted on. It touches three neighbouring seconds at
most, so the worst three are left out: entirely for degraded, and to open, the
share of what is left must be as high as well. Failures in a row must have gone
on for longer than a blip.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from proxy.guard.permit import State
from proxy.guard.policy import Policy
from proxy.guard.window import SLOTS, SPAN_S, Window
from proxy.model.bounds import surprise, wilson

BLIP_S = 2.0
_SUFFIXES = frozenset((3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 45, SPAN_S))
_MASK = SLOTS - 1


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found; `share` is what recovery is measured against."""

    to: State
    share: float
    ordinary: float
    why: str
    seconds: int = SPAN_S
    """How far back it looked."""
    slow: bool = False
    """It is about time, not about failures."""


@dataclass(frozen=True, slots=True)
class _Suffix:
    """The last `seconds`: calls and bad ones, and the same less the worst three of them."""

    seconds: int
    calls: int
    bad: int
    calls_less_blip: int
    bad_less_blip: int


def in_a_row(window: Window, now: float, policy: Policy) -> Finding | None:
    """What failures in a row say: nothing else happened since the first of them."""
    for count, since, limit, what in (
        (window.unreachable_in_row, window.unreachable_since, policy.unreachable_max, "connection"),
        (window.failures_in_row, window.failures_since, policy.failures_max, "technical"),
    ):
        if count >= limit and now - since > BLIP_S:
            why = f"{count} {what} failures in a row in {now - since:.1f} s"
            seconds = min(SPAN_S, int(now) - int(since) + 1)
            return Finding(State.OPEN, 1.0, policy.ordinary_min, why, seconds)
    return None


def failing(window: Window, policy: Policy) -> Finding | None:
    """What the shares of the last minute say; the graver finding comes first."""
    found = _opening(window, window.failures, policy.open_share, policy, "failed")
    if found is None:
        share = policy.open_saturated_share
        found = _opening(window, window.bad, share, policy, "failed or met saturation")
    if found is None:
        ordinary = ordinary_share(window, policy)
        found = _worse(window.calls, window.bad, window.second, ordinary, policy, "failed")
    return found


def slow(window: Window, policy: Policy, slow_s: float) -> Finding | None:
    """Whether clearly more calls are slow than may be."""
    what = f"took over {slow_s:.3g} s"
    found = _worse(window.timed, window.slow, window.second, policy.slow_share, policy, what)
    return None if found is None else replace(found, slow=True)


def ordinary_share(window: Window, policy: Policy) -> float:
    """The share that counts as ordinary here: twice the baseline, within bounds."""
    learned = window.baseline.share
    if learned is None:
        return policy.ordinary_min
    return min(policy.ordinary_max, max(policy.ordinary_min, 2.0 * learned))


def _opening(
    window: Window, bad: list[int], share: float, policy: Policy, what: str
) -> Finding | None:
    for suffix in _suffixes(window.calls, bad, window.second):
        if suffix.bad_less_blip <= share * suffix.calls_less_blip:
            continue
        low, high = wilson(suffix.bad, suffix.calls, policy.open_z)
        if low >= share:
            why = _sentence(suffix, what) + f", a share of {low:.0%} to {high:.0%}"
            share = suffix.bad / suffix.calls
            return Finding(State.OPEN, share, policy.ordinary_min, why, suffix.seconds)
    return None


def _worse(
    calls: list[int], bad: list[int], second: int, ordinary: float, policy: Policy, what: str
) -> Finding | None:
    for suffix in _suffixes(calls, bad, second):
        count, of = suffix.bad_less_blip, suffix.calls_less_blip
        if count >= policy.bad_min and surprise(count, of, ordinary) >= policy.surprise:
            why = _sentence(suffix, what) + f", where up to {ordinary:.1%} would be ordinary"
            share = suffix.bad / suffix.calls
            return Finding(State.DEGRADED, share, ordinary, why, suffix.seconds)
    return None


def _sentence(suffix: _Suffix, what: str) -> str:
    return f"{suffix.bad} of {suffix.calls} calls {what} in the last {suffix.seconds} s"


def _suffixes(calls: list[int], bad: list[int], second: int) -> Iterator[_Suffix]:
    """The last seconds, the shortest first; a minute's walk back, once."""
    total = total_bad = 0
    before = before_bad = last = last_bad = 0
    blip = blip_bad = 0
    for age in range(SPAN_S):
        slot = (second - age) & _MASK
        here, here_bad = calls[slot], bad[slot]
        total += here
        total_bad += here_bad
        if before_bad + last_bad + here_bad > blip_bad:
            blip, blip_bad = before + last + here, before_bad + last_bad + here_bad
        before, before_bad, last, last_bad = last, last_bad, here, here_bad
        if age + 1 in _SUFFIXES and total_bad:
            yield _Suffix(age + 1, total, total_bad, total - blip, total_bad - blip_bad)

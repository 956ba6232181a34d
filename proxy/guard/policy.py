"""PURE. The numbers of one slice's guard, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from proxy.model.breaker import BreakerLimits, BreakerMode
from proxy.model.checking import CHECKS, CheckKind, CheckLimits


class Checks(Enum):
    """Before which probes a check is to pass."""

    NEVER = "never"
    UNREACHABLE = "unreachable"
    """Where connections failed: a check that connects can tell whether they do again."""
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a circuit trips at and how it comes back; seconds and shares."""

    open_share: float = 0.5
    """Opens where at least this share fails, by its lower bound (resilience4j: 50 %)."""
    open_saturated_share: float = 0.8
    """The same with saturation counted: refusing nearly everything is as good as being down, while
    refusing half of it under twice the load is a partner at work."""
    open_z: float = 2.576
    """Of that bound: 99 %, which takes seven failures where everything fails."""
    unreachable_max: int = 5
    """Connection failures in a row that open (Envoy, Finagle: 5)."""
    failures_max: int = 10
    """Technical failures in a row that open, however long they took: for quiet slices, whose window
    never holds enough calls."""
    surprise: float = 9.0
    """Degraded where chance explains what is seen with at most exp(-this): one in 8,100, in each
    window; what is ordinary is taken at twice its measure, so false alarms are far rarer."""
    bad_min: int = 3
    """Fewer failures than this, the worst blip left out, never make a slice degraded."""
    ordinary_min: float = 0.02
    """A share below this is never called worse: it can't be told from bad luck."""
    ordinary_max: float = 0.2
    """Nor does habit make more than this ordinary."""
    slow_share: float = 0.2
    """Degraded where clearly more than this share is slow; under 1 % would be as ever."""
    slow_factor: float = 3.0
    """Slow: this many times the baseline's p99 (own judgement)."""
    slow_min_s: float = 1.0
    """Nothing shorter is slow: a fast partner may take a breath."""
    slow_max_s: float = 10.0
    """Anything longer is slow, and so it is before there is a baseline."""
    open_s: float = 5.0
    """First open time, doubled at each failed probe (Polly: 5)."""
    open_max_s: float = 60.0
    """Where doubling ends (Linkerd: 60); closed for as long, it begins anew."""
    jitter: float = 0.5
    """The open time is drawn from this share of it around it, so that sidecars do not march in step
    (Linkerd: 0.5)."""
    probes_max: int = 2
    """Probes at once while half-open; a hard number."""
    half_open_s: float = 30.0
    """A probe that hangs longer than this in half-open has failed."""
    successes_min: int = 3
    """Proven by as many successes, one after the other."""
    ramp_s: float = 4.0
    """After closing, the share that is let through grows over this time."""
    ramp_from: float = 0.2
    """Where it begins."""
    degraded_quiet_s: float = 600.0
    """Without a call for as long, nothing is known any more, and degraded ends."""
    checks: Checks = Checks.NEVER
    check_wait_s: float = 10.0
    """Without any word of a check for so long, a probe goes without; set from its timeout."""
    check_hold_max_s: float = 600.0
    """A check that goes on failing for so long may itself be wrong; then one call goes."""
    shadow: bool = False
    """Reports and never refuses; what an operator isolates is refused all the same."""


_CHECKS = {
    CheckKind.OFF: Checks.NEVER,
    CheckKind.AUTO: Checks.UNREACHABLE,
    CheckKind.CONNECT: Checks.UNREACHABLE,
    CheckKind.REQUEST: Checks.ALWAYS,
}
_CHECK_LATE_S = 5.0
"""Beyond its timeout: a check that nobody makes must not hold a breaker open."""


def policy(limits: BreakerLimits, checks: CheckLimits | None = None) -> Policy:
    """What a circuit goes by; `checks` None: nobody makes any."""
    return Policy(
        checks=Checks.NEVER if checks is None else _CHECKS[checks.kind],
        check_wait_s=(checks or CHECKS).timeout_s + _CHECK_LATE_S,
        unreachable_max=limits.unreachable_max,
        open_share=limits.open_share,
        open_s=limits.open_s,
        open_max_s=limits.open_max_s,
        slow_max_s=limits.slow_max_s,
        shadow=limits.mode is BreakerMode.SHADOW,
    )

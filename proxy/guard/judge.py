"""PURE. What a slice's calls amount to while it is closed: the window, weighed as each call ends.

It says what the circuit should become; the circuit acts on it and says it back
(`degraded`, `begin`), so that there is one place where states change.
"""

from __future__ import annotations

from proxy.guard import evidence
from proxy.guard.evidence import Finding
from proxy.guard.permit import Figures, State
from proxy.guard.policy import Policy
from proxy.guard.recovery import Recovery
from proxy.guard.verdicts import Verdict
from proxy.guard.window import Window
from proxy.model.bounds import wilson

_SHARES_INTERVAL_S = 0.1
"""Shares are not weighed more often: walking a minute back costs as much as ten calls."""
_Z_SHOWN = 1.96
"""95 %."""
_SLOW = (Verdict.SLOW, Verdict.OVERDUE)


class Judge:
    """The window of one slice, and what it takes to call the slice degraded or well again."""

    __slots__ = ("_policy", "_recovers_from_slow", "_recovery", "_shares_at", "window")

    def __init__(self, policy: Policy, now: float) -> None:
        self._policy = policy
        self.window = Window(now)
        self._shares_at = now
        self._recovery: Recovery | None = None
        self._recovers_from_slow = False

    @property
    def is_degraded(self) -> bool:
        """Whether it is worse than it used to be."""
        return self._recovery is not None

    @property
    def slow_s(self) -> float:
        """From here on a call of this slice is slow."""
        policy, p99_s = self._policy, self.window.baseline.p99_s
        if p99_s is None:
            return policy.slow_max_s
        return min(policy.slow_max_s, max(policy.slow_min_s, policy.slow_factor * p99_s))

    def figures(self, now: float) -> Figures:
        """What is known of the slice, in numbers."""
        baseline = self.window.baseline
        calls, failures, bad, slow = self.window.totals(now)
        low, high = wilson(failures, calls, _Z_SHOWN)
        p50_s, p99_s = baseline.recent_p50_p99(now)
        return Figures(
            calls=calls,
            failures=failures,
            saturated=bad - failures,
            share=failures / calls if calls else 0.0,
            share_low=low,
            share_high=high,
            slow=slow,
            slow_s=self.slow_s,
            p50_s=p50_s,
            p99_s=p99_s,
            ordinary_p99_s=baseline.p99_s,
            ordinary_share=evidence.ordinary_share(self.window, self._policy),
        )

    def weigh(self, verdict: Verdict, now: float) -> Finding | None:
        """What follows from a verdict that was noted while closed or degraded."""
        if verdict is not Verdict.SUCCESS:
            return self._weigh_bad(verdict, now)
        recovery = self._recovery
        if recovery is not None and recovery.good():
            return Finding(State.CLOSED, 0.0, 0.0, "the share is ordinary again")
        return None

    def quiet(self, now: float) -> Finding | None:
        """Whether what was found is too old to stand."""
        quiet_s = now - self.window.second
        if self._recovery is None or quiet_s <= self._policy.degraded_quiet_s:
            return None
        return Finding(State.CLOSED, 0.0, 0.0, f"no call for {quiet_s:.0f} s")

    def degraded(self, found: Finding) -> None:
        """The slice is called degraded from now on."""
        self._recovery = Recovery(found.share, found.ordinary)
        self._recovers_from_slow = found.slow
        self.window.baseline.taint()
        self.window.baseline.learning = False

    def begin(self, *, closed: bool, anew: bool) -> None:
        """The circuit has changed its state: nothing is held against the slice, or all is known."""
        self._recovery = None
        self.window.baseline.taint()
        self.window.baseline.learning = closed
        if anew:
            self.window.clear()

    def _weigh_bad(self, verdict: Verdict, now: float) -> Finding | None:
        slow = verdict in _SLOW
        if self._recovery is not None and (self._recovers_from_slow or not slow):
            self._recovery.bad()
        policy, window = self._policy, self.window
        found = None if slow else evidence.in_a_row(window, now, policy)
        if found is None and now >= self._shares_at:
            self._shares_at = now + _SHARES_INTERVAL_S
            found = evidence.slow(window, policy, self.slow_s) if slow else None
            found = found or evidence.failing(window, policy)
        if found is not None and found.to is State.DEGRADED and self._recovery is not None:
            return None
        return found

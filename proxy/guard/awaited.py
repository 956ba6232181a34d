"""PURE. Whether a probe that is due has to wait for a check, which moves no money.

    opened    the next probe is due at an instant; a second before, a check is wanted
    passed    the probe may go as soon as it is due
    failed    the circuit opens anew, for longer, and no call was risked
    silent    nobody checks: after `check_wait_s` the probe goes without

A check that goes on failing may itself be what is wrong: a path that the partner has
taken away, a firewall between. So it holds probes back for `check_hold_max_s` in all,
and then a call is let through as if there were no check.
"""

from __future__ import annotations

from math import inf

from proxy.guard.policy import Checks, Policy

LEAD_S = 1.0
"""A check that begins so early is as good as one that begins when the probe is due."""


class Awaited:
    """What one circuit waits for, while it is open."""

    __slots__ = ("_due_at", "_failing_since", "_passed", "_policy", "_unreachable")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._due_at = inf
        self._passed = False
        self._unreachable = False
        self._failing_since = inf

    def opened(self, due_at: float, unreachable: bool | None) -> None:
        """The next probe is due then; whether connections failed, None for as before."""
        self._due_at, self._passed = due_at, False
        if unreachable is not None:
            self._unreachable = unreachable

    def over(self) -> None:
        """The circuit is open no more, or an operator has the word."""
        self._due_at = self._failing_since = inf

    def wanted(self, now: float) -> bool:
        """Whether a check would tell something."""
        return now >= self._due_at - LEAD_S and self._holds(now)

    def holds(self, now: float) -> bool:
        """Whether a probe has to wait."""
        return self._due_at < inf and self._holds(now)

    def passed(self) -> None:
        """A check that was wanted has passed."""
        self._passed = True

    def failed(self, now: float) -> None:
        """A check that was wanted has failed."""
        self._failing_since = min(self._failing_since, now)

    def _holds(self, now: float) -> bool:
        policy = self._policy
        if self._passed or not (
            policy.checks is Checks.ALWAYS
            or (policy.checks is Checks.UNREACHABLE and self._unreachable)
        ):
            return False
        late = now >= self._due_at + policy.check_wait_s
        return not late and now < self._failing_since + policy.check_hold_max_s

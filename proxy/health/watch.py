"""PURE. What is known of one upstream without a payment: its checks, and when it was proven last.

    well      the last checks passed, or none has failed yet
    failing   `fall` checks in a row failed; well again after `rise` that passed

A check says nothing about payments: an upstream that accepts connections may
decline every card. So a check alone refuses no call. It is proof enough that a
standby is there, which is what nobody knows of one that is never called.

An answered call proves more than a check, and stands for one.
"""

from __future__ import annotations

from proxy.model.checking import CheckKind, CheckLimits, CheckResult
from proxy.model.route import Route, Upstream

AGAIN_SHARE = 0.2
"""After a failure, of the interval until the next check: three are made within it."""
JITTER = 0.2
"""The interval is drawn from this share of it around it, so that sidecars do not march in step."""
_FIRST_S = 5.0
"""The first check comes within so many seconds: a standby that is dead is known soon."""
_AT_ONCE_S = 1.0
"""Between checks that a breaker waits for."""


class Watch:
    """One upstream. Instants are monotonic seconds; `chance` is from 0 to 1."""

    def __init__(
        self, upstream: Upstream, kind: CheckKind | None, standby: bool, now: float, chance: float
    ) -> None:
        self.upstream = upstream
        self.kind = kind
        """What is done now and then; None: nothing, or only where a breaker waits for it."""
        self.standby = standby
        """It stands behind another candidate, so nothing may ever be sent there."""
        self.limits: CheckLimits = upstream.checks
        self.running = False
        self.failing = False
        self.since = self.begun_at = now
        """Since when it is failing or well."""
        self.last: CheckResult | None = None
        self.last_at = 0.0
        self.counts = {"passed": 0, "failed": 0, "unclear": 0}
        self.proven_at: float | None = None
        self.proven_by = ""
        self.unproven = False
        self._answered_at = float("-inf")
        self._in_row = 0
        self._next_at = now + min(_FIRST_S, self.limits.interval_s) * (0.5 + 0.5 * chance)

    def due(self, now: float, wanted: bool) -> bool:
        """Whether a check is to begin; `wanted` by a breaker that waits for it."""
        if self.running:
            return False
        if wanted:
            return self.last is None or now >= self.last_at + _AT_ONCE_S
        if self.kind is None or now < self._next_at:
            return False
        if not self._in_row and not self.failing:
            self._next_at = max(self._next_at, self._answered_at + self.limits.interval_s)
        return now >= self._next_at

    def ended(self, result: CheckResult, now: float, chance: float) -> str:
        """Note what a check came to; `failing` or `passing` where that is news, else nothing."""
        self.last, self.last_at = result, now
        change = self._weigh(result, now)
        share = AGAIN_SHARE if result.passed is False and not self.failing else 1.0
        jitter = 1.0 + JITTER * (chance - 0.5)
        self._next_at = now + self.limits.interval_s * share * jitter
        return change

    def _weigh(self, result: CheckResult, now: float) -> str:
        if result.passed is None:
            self.counts["unclear"] += 1
            return ""
        self.counts["passed" if result.passed else "failed"] += 1
        if result.passed:
            self._prove(now, "check")
        if result.passed is not self.failing:
            self._in_row = 0  # more of the same
            return ""
        self._in_row += 1
        if self._in_row < (self.limits.rise if self.failing else self.limits.fall):
            return ""
        self._in_row, self.failing, self.since = 0, not self.failing, now
        return "failing" if self.failing else "passing"

    def answered(self, now: float) -> None:
        """A call was answered there."""
        self._answered_at = now
        self._prove(now, "call")

    def proof(self, now: float) -> str:
        """`unproven` or `proven` where that is news, else nothing."""
        if not self.standby:
            return ""
        unproven = self.quiet_s(now) > self.limits.proven_within_s
        if unproven is self.unproven:
            return ""
        self.unproven = unproven
        return "unproven" if unproven else "proven"

    def quiet_s(self, now: float) -> float:
        """For how long nothing was proven; from the start on where nothing ever was."""
        return max(0.0, now - (self.begun_at if self.proven_at is None else self.proven_at))

    def _prove(self, now: float, by: str) -> None:
        self.proven_at, self.proven_by = now, by


def kind_of(upstream: Upstream, companions: bool) -> CheckKind | None:
    """What is done now and then; `companions`: a route has another candidate beside it."""
    kind = upstream.checks.kind
    if kind is CheckKind.AUTO:
        return CheckKind.CONNECT if companions else None
    return None if kind is CheckKind.OFF else kind


def company(routes: tuple[Route, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """Upstreams that share a route with another, and those that stand behind another."""
    shared, behind = set[str](), set[str]()
    for route in routes:
        names = [each.upstream.name for each in route.candidates]
        shared.update(names if len(names) > 1 else ())
        behind.update(names[1:])
    return frozenset(shared), frozenset(behind)

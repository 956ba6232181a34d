"""The states of one circuit and each change between them; who may pass is said in circuit.py.

Each change except to and from degraded begins a new generation: probes out are
forgotten, successes are counted anew, and what is going on is not learned as
ordinary. So there is nothing of one era that the next could trip over.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from proxy.guard.awaited import Awaited
from proxy.guard.evidence import Finding
from proxy.guard.holder import Holder
from proxy.guard.judge import Judge
from proxy.guard.permit import Glance, Isolation, Refusal, Standing, State
from proxy.guard.policy import Policy
from proxy.guard.recovery import OpenTime, Ramp


class States:
    """What a circuit is at this moment, since when and why."""

    def __init__(
        self,
        policy: Policy,
        rng: random.Random,
        now: float,
        on_change: Callable[[Standing], None] | None,
    ) -> None:
        self._policy = policy
        self._rng = rng
        self._on_change = on_change
        self.held = Holder()
        self.judge = Judge(policy, now)
        self._open_time = OpenTime(policy.open_s, policy.open_max_s, policy.jitter)
        self.awaited = Awaited(policy)
        self.generation = 0
        self.probes = 0
        """Out at this moment."""
        self.flows = True
        """Closed, not isolated, no ramp: every call is let through."""
        self._since, self._why = now, "start"
        self._cause = ""
        """Why it opened first; what came after it would make an endless sentence."""
        self.next_probe_at = self._closed_at = now
        self.ramp: Ramp | None = None
        self.isolation: Isolation | None = None

    @property
    def state(self) -> State:
        """As people and metrics see it."""
        if self.isolation is not None:
            return State.ISOLATED
        return State.DEGRADED if self.judge.is_degraded else self.held.state

    def refusal(self, code: str, wait_s: float, figure: str) -> Refusal:
        """A refusal by the state of this moment."""
        return Refusal(self.held.state, code, self._why, wait_s, figure)

    def would_refuse(self, now: float) -> bool:
        """Whether a call would be refused at this moment; it changes nothing."""
        if self.isolation is not None:
            return now < self.isolation.until
        if self._policy.shadow:
            return False
        if self.held.state is State.OPEN:
            return now < self.next_probe_at or self.awaited.holds(now)
        if self.held.state is State.HALF_OPEN:
            return self.probes >= self._policy.probes_max
        return self.ramp is not None and not self.ramp.would_admit(now)

    def standing(self, now: float) -> Standing:
        """The whole of it, with the figures of this moment."""
        state, isolation = self.state, self.isolation
        probe_at = self.next_probe_at if state is State.OPEN else None
        return Standing(
            state=state,
            since=self._since,
            why=self._why,
            generation=self.generation,
            figures=self.judge.figures(now),
            probes=self.probes,
            admitted_share=self._admitted_share(now),
            next_probe_at=probe_at if isolation is None else isolation.until,
            shadow=self._policy.shadow,
            awaits_check=self.awaited.holds(now),
        )

    def glance(self, now: float) -> Glance:
        """The little of it that is looked at all the time: counting a minute takes longer."""
        baseline = self.judge.window.baseline
        p50_s, p99_s = baseline.recent_p50_p99(now)
        return Glance(
            self.state, self._why, p50_s, p99_s, baseline.p99_s, self._admitted_share(now)
        )

    def act(self, found: Finding, now: float, *, unreachable: bool = False) -> None:
        """Become what was found, while closed or degraded; see `open`."""
        if found.to is State.OPEN:
            self.open(found.why, now, unreachable=unreachable)
            return
        if found.to is State.DEGRADED:
            self.judge.degraded(found)
        else:
            self.judge.begin(closed=True, anew=True)
        self._tell(found.why, now)

    def open(self, why: str, now: float, *, unreachable: bool | None = None) -> None:
        """Refuse, for a time that grows; `unreachable`: whether connections failed, if known."""
        closed_for_s = 0.0
        if self.held.state is State.CLOSED:
            closed_for_s = now - self._closed_at
            self._cause = why
        else:
            why = f"{why}; {self._cause}"
        self.next_probe_at = now + self._open_time.draw_s(self._rng.random(), closed_for_s)
        self.awaited.opened(self.next_probe_at, unreachable)
        self.held.open()
        self._changed(why, now)

    def checked(self, why_failed: str | None, now: float) -> None:
        """A check has passed (None), or why it failed; it counts where one was wanted."""
        if not self.awaited.wanted(now):
            return
        if why_failed is None:
            self.awaited.passed()
            return
        self.awaited.failed(now)
        self.open(f"a check failed: {why_failed}", now)

    def half_open(self, now: float) -> None:
        """Let probes through: the open time has passed, or an isolation has expired."""
        what = "open" if self.isolation is None else "isolated"
        self.isolation = None
        self.awaited.over()
        self.held.half_open()
        self._changed(f"{what} for {now - self._since:.1f} s; {self._cause}", now)

    def close(self, why: str, now: float) -> None:
        """Let calls through again, more and more of them."""
        self.isolation = None
        self.awaited.over()
        self._closed_at = now
        self.held.close()
        self._changed(why, now)

    def forgive(self, why: str, now: float) -> None:
        """Begin anew, closed and without a ramp."""
        self.close(why, now)
        self.ramp, self.flows = None, True

    def isolate(self, isolation: Isolation, now: float) -> None:
        """Refuse by an operator's word."""
        self.isolation = isolation
        self.awaited.over()
        self._cause = isolation.reason
        self.held.open()
        self._changed(isolation.reason, now)

    def _changed(self, why: str, now: float) -> None:
        self.generation += 1
        self.probes = 0
        self.flows = False
        closed = self.held.state is State.CLOSED
        self.ramp = Ramp(self._policy.ramp_from, self._policy.ramp_s, now) if closed else None
        self.judge.begin(closed=closed, anew=closed)
        self._tell(why, now)

    def _tell(self, why: str, now: float) -> None:
        self._since, self._why = now, why
        if self._on_change is not None:
            self._on_change(self.standing(now))

    def _admitted_share(self, now: float) -> float:
        if self.held.state is not State.CLOSED:
            return 0.0
        return 1.0 if self.ramp is None else self.ramp.share(now)

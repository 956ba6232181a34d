"""The breaker of one slice.

    closed     -> open       failures in a row, or the share that fails (evidence.py)
    closed     -> degraded   clearly worse than its baseline; calls still flow
    degraded   -> closed     as many good calls as prove it (recovery.py)
    degraded   -> open       as from closed
    open       -> half-open  the open time has passed, a check too if there is one, and a call comes
    open       -> open       the check failed
    open       -> closed     calls forced through as the last way out succeeded
    half-open  -> closed     three successes; then a ramp
    half-open  -> open       a probe failed or hung; the open time doubles
    any        -> isolated   an operator says so, until the expiry or the release

pybreaker holds closed, open and half-open (holder.py); the changes are in
states.py, and what calls amount to in judge.py. What must stay true here:

- A permit of an earlier generation changes nothing: no count, no state, no probe.
- Probes out are never more than `probes_max`, and each gives its place back when
  it ends, however it ends. One that hangs cannot hold half-open for longer than
  `half_open_s`, counted from the first probe that was out without a pause.
- Time is what the caller hands in, monotonic. No clock is read.
- A call that hangs is evidence before it ends: the oldest of those out are looked
  at, four times a second at most. Only the partner's own time makes one overdue:
  not the wait for a place, a connection's turn or an address.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from proxy.guard.permit import Beside, Isolation, Out, Permit, Refusal, Standing, State
from proxy.guard.policy import Policy
from proxy.guard.states import States
from proxy.guard.verdicts import Verdict

_LOOK_INTERVAL_S = 0.25
_PROVES = (Verdict.SUCCESS, Verdict.SLOW)
_TOO_LONG = (Verdict.SLOW, Verdict.OVERDUE)


class Circuit:
    """One slice's breaker. `admit` before an attempt, `Permit.end` after it."""

    def __init__(
        self,
        policy: Policy,
        rng: random.Random,
        now: float,
        on_change: Callable[[Standing], None] | None = None,
        beside: Beside | None = None,
    ) -> None:
        self._policy = policy
        self.states = States(policy, rng, now, on_change)
        """For a family, which acts for several slices at once."""
        self.window = self.states.judge.window
        """For whoever notes calls that have no permit here."""
        self._beside = beside
        """Who is asked whether a finding is this slice's own; see family.py."""
        self._out = Out()
        self._half_open_until = self._look_at = now

    # -- what a call asks -----------------------------------------------------------------

    def admit(self, now: float) -> Permit | Refusal:
        """A permit, or why there is none."""
        if now >= self._look_at:
            self._look(now)
        if self.states.flows:
            return self._permit(now)
        refusal = self._isolated(now)
        if refusal is not None:
            return refusal
        answer = self._guarded(now)
        if isinstance(answer, Refusal) and self._policy.shadow:
            permit = self._permit(now)
            permit.would_refuse = answer
            return permit
        return answer

    def admit_anyway(self, now: float) -> Permit | Refusal:
        """A permit in spite of the circuit, for the last way out; an operator's word stands."""
        return self._isolated(now) or self._permit(now, forced=True)

    def would_refuse(self, now: float) -> bool:
        """What `admit` would say; it changes nothing."""
        return not self.states.flows and self.states.would_refuse(now)

    def ended(self, permit: Permit, verdict: Verdict, took_s: float, now: float) -> None:
        """Take a permit back; called by `Permit.end`, once."""
        self._out.pop(permit, None)
        states = self.states
        if permit.generation != states.generation:
            return
        if permit.probe:
            states.probes -= 1
        if verdict is Verdict.NOTHING:
            return
        self.window.note(verdict, took_s, now, timed=not permit.overdue)
        if states.held.state is State.CLOSED:
            if not (permit.overdue and verdict in _TOO_LONG):
                self.weigh(verdict, now)
        elif permit.probe or permit.forced:
            self._proves(verdict, now)

    # -- what a family asks ---------------------------------------------------------------

    @property
    def is_well(self) -> bool:
        """Whether it has nothing to say to any call: closed, no ramp, not degraded."""
        return self.states.flows and not self.states.judge.is_degraded

    def weigh(self, verdict: Verdict, now: float) -> None:
        """Draw the conclusion from what was noted last, while closed."""
        found = self.states.judge.weigh(verdict, now)
        if found is not None and (self._beside is None or self._beside.agrees(self, found, now)):
            self.states.act(found, now, unreachable=verdict is Verdict.UNREACHABLE)

    # -- what is seen, and what an operator says ------------------------------------------

    @property
    def state(self) -> State:
        """What `standing` says of the state, at no cost."""
        return self.states.state

    @property
    def slow_s(self) -> float:
        """From here on a call of this slice is slow."""
        return self.states.judge.slow_s

    def tally(self, now: float) -> tuple[int, int]:
        """Calls with a verdict, and failures among them."""
        calls, failures, _, _ = self.window.totals(now)
        return calls, failures

    def look(self, now: float) -> None:
        """Let time have its say where no call comes."""
        if now >= self._look_at:
            self._look(now)

    def wants_check(self, now: float) -> bool:
        """Whether a check should be made, for a probe to go or to be spared."""
        return self.states.awaited.wanted(now)

    def checked(self, why_failed: str | None, now: float) -> None:
        """A check of the upstream has passed (None), or why it failed."""
        self.states.checked(why_failed, now)

    def standing(self, now: float) -> Standing:
        """The whole of it, with the figures of this moment."""
        self.look(now)
        return self.states.standing(now)

    def isolate(self, reason: str, until: float, now: float) -> None:
        """Hold it open until the monotonic instant `until`; in shadow mode as well."""
        self.states.isolate(Isolation(reason, until), now)

    def release(self, reason: str, now: float) -> None:
        """End an isolation, or close an open circuit, by an operator's word."""
        if self.states.held.state is not State.CLOSED:
            self.states.close(reason, now)

    # -- admitting ------------------------------------------------------------------------

    def _permit(self, now: float, *, probe: bool = False, forced: bool = False) -> Permit:
        ends = self if self._beside is None else self._beside
        permit = Permit(ends, self.states.generation, now, probe=probe, forced=forced)
        self._out[permit] = None
        return permit

    def _isolated(self, now: float) -> Refusal | None:
        isolation = self.states.isolation
        if isolation is None:
            return None
        if now < isolation.until:
            return isolation.refusal(now)
        self.states.half_open(now)
        return None

    def _guarded(self, now: float) -> Permit | Refusal:
        states = self.states
        if states.held.state is State.OPEN:
            wait_s = states.next_probe_at - now
            if wait_s > 0.0:
                return states.refusal("open", wait_s, f"the next probe is due in {wait_s:.1f} s")
            if states.awaited.holds(now):
                return states.refusal("open", 0.0, "a check is to pass before the next probe")
            states.half_open(now)
        if states.held.state is State.HALF_OPEN:
            return self._probe(now)
        ramp = states.ramp
        if ramp is None or ramp.admits(now):
            return self._permit(now)
        share = ramp.share(now)
        return states.refusal("ramping", 0.0, f"{share:.0%} of the calls are let through")

    def _probe(self, now: float) -> Permit | Refusal:
        states = self.states
        if states.probes >= self._policy.probes_max:
            figure = f"{states.probes} probes are out, no more at once"
            return states.refusal("probing", 0.0, figure)
        if not states.probes:
            self._half_open_until = now + self._policy.half_open_s
        states.probes += 1
        return self._permit(now, probe=True)

    # -- what time and endings say --------------------------------------------------------

    def _look(self, now: float) -> None:
        """What time alone changes: overdue calls, hung probes, the ramp's end, an old finding."""
        self._look_at = now + _LOOK_INTERVAL_S
        states = self.states
        self._isolated(now)
        overdue = self._note_overdue(now)
        if states.held.state is State.HALF_OPEN:
            if states.probes and now >= self._half_open_until:
                states.open(f"{states.probes} probes hung", now)
        elif states.held.state is State.CLOSED:
            if states.ramp is not None and states.ramp.share(now) >= 1.0:
                states.ramp, states.flows = None, True
            if overdue:
                self.weigh(Verdict.OVERDUE, now)
            elif (found := states.judge.quiet(now)) is not None:
                states.act(found, now)

    def _note_overdue(self, now: float) -> bool:
        """Whether anything was noted here."""
        found = False
        for permit in self._out.overdue(now - self.states.judge.slow_s, now):
            if permit.generation == self.states.generation:
                if self._beside is None or self._beside.counts(permit):
                    self.window.note(Verdict.OVERDUE, 0.0, now)
                    found = True
                if self._beside is not None:
                    self._beside.overdue(permit, now)
        return found

    def _proves(self, verdict: Verdict, now: float) -> None:
        """A probe, or a call forced through, has ended with a verdict."""
        states = self.states
        if verdict in _PROVES:
            count = states.held.succeeded()
            if count >= self._policy.successes_min:
                states.close(f"{count} successes in a row", now)
        elif verdict is not Verdict.OVERDUE:
            states.held.failed()
            if states.held.state is State.HALF_OPEN:
                unreachable = verdict is Verdict.UNREACHABLE
                states.open(f"a probe ended as {verdict.value}", now, unreachable=unreachable)

"""One compartment: a bound on the attempts at work, and an orderly wait for a place.

A partner that becomes slow fills its own compartment and nobody else's. Where a
place is free, and no call of higher priority waits at the same upstream (crowd.py),
taking it is a plain call. Where none is, a call waits its turn, by
priority and then by arrival, but only for as long as waiting can help:

    bulkhead_full       as many calls wait as may, none of lower priority among them
    bulkhead_late       by the recent service time its turn, or its answer, would come
                        after its time is up: refused at once, so that the next
                        candidate still has that time
    bulkhead_timeout    it waited, and its turn did not come
    bulkhead_displaced  a call of higher priority took its place in a full queue

Nothing was sent in any of these. Each place taken is given back exactly once,
wherever the task that has it is cancelled; `at_work` never exceeds the limit
that held when the place was given (an adaptive limit may fall below it).

What is expected is never more than what is known: a place comes free every
`service_s / limit`, where the service time is the recent average, or the time
since anybody left if that is longer (a partner that hangs ends no attempt, and
its average would stay what it was when it was well).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from proxy.guard.adaptive import AdaptiveLimit
from proxy.guard.crowd import Crowd, kept
from proxy.model.bulkhead import BulkheadLimits, Priority
from proxy.model.outcome import Answered, InDoubt, Origin, Outcome, Refused

REASONS = ("bulkhead_full", "bulkhead_late", "bulkhead_timeout", "bulkhead_displaced")
_RETRY_AFTER_S = 1
_NEWEST = 0.1
"""The weight of the newest attempt in the recent service time."""
_TOO_MUCH = frozenset((429, 503))

Waiter = asyncio.Future[Refused | None]
"""None: it has a place."""


class Bulkhead:
    """The places of one compartment of one upstream; `now` is monotonic."""

    def __init__(
        self,
        partner: str,
        upstream: str,
        compartment: str,
        limits: BulkheadLimits,
        now: Callable[[], float],
        crowd: Crowd | None = None,
    ) -> None:
        self.upstream = upstream
        self.compartment = compartment
        self._partner = partner
        self._now = now
        self._crowd = crowd or Crowd()
        self._kept = kept(limits.at_work_max)
        self._waiting_max = limits.waiting_max
        self._adaptive = AdaptiveLimit(limits.at_work_max) if limits.adaptive else None
        self._lines: tuple[deque[Waiter], ...] = tuple(deque() for _ in Priority)
        """By priority, ascending."""
        self._still_since = now()
        """Since when nobody has left, or all places are taken, whichever came last."""
        self.limit = limits.at_work_max
        self.at_work = 0
        self.waiting = 0
        self.service_s = 0.0
        self.refused = dict.fromkeys(REASONS, 0)

    # -- a place is free -------------------------------------------------------------

    def take(self, priority: Priority = Priority.PAYMENT) -> bool:
        """Take a place if one is free, and nobody has to go first."""
        if self.at_work >= self.limit:
            return False
        if self._crowd.waiting and not self._is_next(priority):
            return False
        self.at_work += 1
        if self.at_work == self.limit:
            self._still_since = self._now()
        return True

    def _is_next(self, priority: Priority) -> bool:
        """Whether nobody goes first: no higher priority elsewhere, nobody whose turn it is here."""
        if self._yields(priority):
            return False
        self._fill()
        return self.at_work < self.limit

    def _yields(self, priority: Priority) -> bool:
        return self.at_work >= self._kept and self._crowd.above(priority)

    def leave(self, begun_at: float, outcome: Outcome | None) -> None:
        """Give a place back; None for an attempt of which nobody knows how it ended."""
        now = self._now()
        self._still_since = now
        if outcome is not None:
            self._learn(outcome, begun_at, now)
        self._give_back()

    def _learn(self, outcome: Outcome, begun_at: float, now: float) -> None:
        took_s, known_s = now - begun_at, self.service_s
        self.service_s = known_s + _NEWEST * (took_s - known_s) if known_s else took_s
        if self._adaptive is not None:
            if _has_too_much(outcome, patient=took_s >= known_s):
                self._adaptive.saturated(begun_at, now)
            elif isinstance(outcome, Answered):
                self._adaptive.succeeded()
            self.limit = self._adaptive.limit

    # -- none is ------------------------------------------------------------------------

    async def enter(self, priority: Priority, until: float, deadline_at: float) -> Refused | None:
        """Wait for a place, at most until `until`. None with a place, else why there is none.

        `deadline_at` is when the answer has to be there.
        """
        refused = self._hopeless(priority, until, deadline_at)
        if refused is not None:
            return refused
        loop, now = asyncio.get_running_loop(), self._now()
        waiter: Waiter = loop.create_future()
        line = self._lines[priority]
        line.append(waiter)
        self.waiting += 1
        self._crowd.came(priority)
        timer = loop.call_later(until - now, self._expired, priority, waiter, until - now)
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.done() or waiter.cancelled():
                self._forget(priority, waiter)
            elif waiter.result() is None:
                self._give_back()
            raise
        finally:
            timer.cancel()

    def _hopeless(self, priority: Priority, until: float, deadline_at: float) -> Refused | None:
        """Why waiting cannot help, if so; makes room in a full queue if the rank allows it."""
        now = self._now()
        service_s = max(self.service_s, now - self._still_since)
        ahead = sum(len(line) for line in self._lines[priority:])
        wait_s = (ahead + 1) * service_s / self.limit
        if now + wait_s >= until or now + wait_s + self.service_s >= deadline_at:
            left_s = min(until, deadline_at) - now
            return self._refuse(
                "bulkhead_late",
                f"{ahead} calls wait before this one; a place was expected in "
                f"{wait_s * 1000:.0f} ms and an answer {self.service_s * 1000:.0f} ms later, with "
                f"{max(0.0, left_s) * 1000:.0f} ms left",
            )
        if self.waiting >= self._waiting_max and not self._displace(priority):
            return self._refuse("bulkhead_full", "and no more may wait")
        return None

    def _displace(self, priority: Priority) -> bool:
        """Refuse the call that came last among those of the lowest rank, if that is lower."""
        for lower in Priority:
            line = self._lines[lower]
            while lower < priority and line:
                waiter = line.pop()
                self._gone(lower)
                if not waiter.done():
                    why = "and a call of higher priority took its turn"
                    waiter.set_result(self._refuse("bulkhead_displaced", why))
                return True
        return False

    def _give_back(self) -> None:
        self.at_work -= 1
        self._fill()

    def _fill(self) -> None:
        """Give free places to those that wait here, as long as it is their turn."""
        while self.waiting and self.at_work < self.limit:
            priority = next(each for each in reversed(Priority) if self._lines[each])
            if self._yields(priority):
                return
            waiter = self._lines[priority].popleft()
            self._gone(priority)
            if not waiter.done():  # cancelled, and not yet told
                self.at_work += 1
                waiter.set_result(None)

    def _expired(self, priority: Priority, waiter: Waiter, waited_s: float) -> None:
        if not waiter.done():
            self._forget(priority, waiter)
            crowded = self._yields(priority)
            whose = "none that calls of higher priority left" if crowded else "none"
            why = f"and {whose} came free within {waited_s * 1000:.0f} ms"
            waiter.set_result(self._refuse("bulkhead_timeout", why))

    def _forget(self, priority: Priority, waiter: Waiter) -> None:
        line = self._lines[priority]
        if waiter in line:
            line.remove(waiter)
            self._gone(priority)

    def _gone(self, priority: Priority) -> None:
        self.waiting -= 1
        self._crowd.went(priority)

    # -- what is told ---------------------------------------------------------------------

    def _refuse(self, reason: str, why: str) -> Refused:
        self.refused[reason] += 1
        detail = (
            f"{self.at_work} of {self.limit} attempts of {self.compartment} are at work at "
            f"{self.upstream}, {self.waiting} calls wait for a place, {why}."
        )
        return Refused(
            reason, 503, detail, Origin.PROXY, retry_after_s=_RETRY_AFTER_S,
            partner=self._partner, upstream=self.upstream,
        )  # fmt: skip

    def report(self) -> dict[str, Any]:
        """The figures of this moment."""
        return {
            "upstream": self.upstream,
            "compartment": self.compartment,
            "at_work": self.at_work,
            "limit": self.limit,
            "waiting": self.waiting,
            "waiting_max": self._waiting_max,
            "service_ms": round(self.service_s * 1000, 3),
            "refused": dict(self.refused),
        }


def _has_too_much(outcome: Outcome, *, patient: bool) -> bool:
    """Whether the partner says so, or did not answer in time; `patient`: in as much as it had
    lately taken (a caller's short deadline tells nothing about the partner).
    """
    if isinstance(outcome, Answered):
        return outcome.response.status in _TOO_MUCH
    if isinstance(outcome, InDoubt):
        return outcome.reason == "timeout" or (outcome.reason == "deadline" and patient)
    return False

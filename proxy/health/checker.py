"""Checks the upstreams, one check at a time for each, and says what came of it.

Its results are evidence of three kinds. A breaker that waits for a check, before
it lets a call through as a probe, is told of each. An upstream that is failing goes
behind its route's other candidates, unless its own calls say better. And a standby
that neither a call nor a check has proven for too long is told as not proven.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from typing import Any, Protocol

from proxy.health.watch import Watch, company, kind_of
from proxy.model.checking import CheckKind, CheckResult
from proxy.model.clock import Clock
from proxy.model.events import AttemptEnded, CheckChanged
from proxy.model.outcome import Answered, Origin
from proxy.model.route import Route, Upstream

TICK_S = 0.25
AT_ONCE_MAX = 16
"""Checks at work: what many upstreams have in common must not make a storm of them."""
_SERVER_ERROR = 500
_GRACE_S = 0.25
"""Beyond a check's timeout, so that it can say itself in which phase it was."""

Check = Callable[[Upstream, CheckKind], Awaitable[CheckResult]]
UNPROVEN = "not_proven"
Trouble = tuple[str, str, str, str, str, float]
"""Partner, upstream, phase, reason, origin, and since when, monotonic."""


class Breakers(Protocol):
    """Who waits for checks, and goes by them."""

    def wanting(self) -> Collection[str]:
        """Upstreams that a breaker wants to be checked now."""

    def checked(self, upstream: str, why_failed: str | None) -> None:
        """A check passed (None), or why it failed."""

    def suspect(self, upstream: str, failing: bool) -> None:
        """Whether checks of it go on failing."""


class Checker:
    """`check` makes one; `tell` hears of each change, `bug` of what is our own fault."""

    def __init__(
        self,
        upstreams: Iterable[Upstream],
        routes: tuple[Route, ...],
        check: Check,
        breakers: Breakers,
        clock: Clock,
        tell: Callable[[CheckChanged], None],
        bug: Callable[[BaseException], None],
        rng: random.Random | None = None,
    ) -> None:
        self._check = check
        self._breakers = breakers
        self._clock = clock
        self._tell = tell
        self._bug = bug
        self._rng = rng or random.Random()  # noqa: S311 - jitter
        shared, behind = company(routes)
        self._watches = {
            each.name: Watch(
                each, kind_of(each, each.name in shared), each.name in behind,
                clock.now(), self._rng.random(),
            )
            for each in upstreams
        }  # fmt: skip
        self._tasks: set[asyncio.Task[None]] = set()

    # -- what runs beside the calls ----------------------------------------------------

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Check what is due, until it is cancelled."""
        try:
            while True:
                self.tick()
                await sleep(TICK_S)
        finally:
            for task in self._tasks:
                task.cancel()

    def tick(self) -> None:
        """Begin the checks that are due, and look who is not proven any more."""
        now, wanting = self._clock.now(), self._breakers.wanting()
        for name, watch in self._watches.items():
            self._tell_proof(watch, now)
            wanted = name in wanting
            if len(self._tasks) < AT_ONCE_MAX and watch.due(now, wanted):
                self._begin(watch)

    def _begin(self, watch: Watch) -> None:
        watch.running = True
        task = asyncio.ensure_future(self._one(watch))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._bug(error)

    async def _one(self, watch: Watch) -> None:
        limits = watch.limits
        kind = CheckKind.REQUEST if limits.kind is CheckKind.REQUEST else CheckKind.CONNECT
        try:
            async with asyncio.timeout(limits.timeout_s + _GRACE_S):
                result = await self._check(watch.upstream, kind)
        except TimeoutError:
            result = CheckResult(False, reason="timeout", origin=Origin.NETWORK)
        except Exception as error:  # noqa: BLE001 - told; the upstream is checked again
            self._bug(error)
            result = CheckResult(None, reason="bug", origin=Origin.PROXY)
        watch.running = False
        self._ended(watch, result)

    def _ended(self, watch: Watch, result: CheckResult) -> None:
        now, name = self._clock.now(), watch.upstream.name
        change = watch.ended(result, now, self._rng.random())
        if result.passed is not None:
            self._breakers.checked(name, None if result.passed else result.why)
        if change:
            self._breakers.suspect(name, watch.failing)
            self._say(watch, change, result.why)
        self._tell_proof(watch, now)

    # -- what calls prove ------------------------------------------------------------------

    def attempt(self, event: AttemptEnded) -> None:
        """An answer proves the upstream, unless it is a server's error."""
        outcome = event.attempt.outcome
        if type(outcome) is Answered and outcome.response.status < _SERVER_ERROR:
            watch = self._watches.get(outcome.upstream)
            if watch is not None:
                watch.answered(self._clock.now())

    def _tell_proof(self, watch: Watch, now: float) -> None:
        change = watch.proof(now)
        if change:
            seconds = watch.limits.proven_within_s
            why = f"neither an answered call nor a passed check for {seconds:g} s"
            self._say(watch, change, why if watch.unproven else f"by a {watch.proven_by}")

    def _say(self, watch: Watch, change: str, reason: str) -> None:
        at = watch.upstream
        quiet_s = watch.quiet_s(self._clock.now())
        self._tell(CheckChanged(at.partner, at.name, change, reason, quiet_s))

    # -- what can be seen ------------------------------------------------------------------

    def troubles(self) -> Iterator[Trouble]:
        """What is to be a finding for as long as it lasts."""
        now = self._clock.now()
        for watch in self._watches.values():
            at, last = watch.upstream, watch.last
            if watch.failing and last is not None:
                phase, reason = last.phase or "check", last.reason or "check"
                yield at.partner, at.name, f"check {phase}", reason, last.origin, watch.since
            if watch.unproven:
                since = now - watch.quiet_s(now)
                yield at.partner, at.name, "standby", UNPROVEN, Origin.PARTNER, since

    def report(self) -> list[dict[str, Any]]:
        """All that is known of each, in the order of the file."""
        now = self._clock.now()
        return [_described(watch, now) for watch in self._watches.values()]


def _described(watch: Watch, now: float) -> dict[str, Any]:
    last = watch.last
    return {
        "partner": watch.upstream.partner,
        "upstream": watch.upstream.name,
        "kind": None if watch.kind is None else watch.kind.value,
        "failing": watch.failing,
        "for_s": round(now - watch.since, 3),
        "last": None if last is None else last.why,
        "last_s": None if last is None else round(now - watch.last_at, 3),
        "checks": dict(watch.counts),
        "standby": watch.standby,
        "proven_s": round(watch.quiet_s(now), 3),
        "proven_by": watch.proven_by or None,
        "proven_within_s": watch.limits.proven_within_s,
        "unproven": watch.unproven,
    }

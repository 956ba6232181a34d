"""The connections of one upstream.

    take()   an idle connection that is open and silent at this instant, or None
    open()   a new one; waits, bounded, when there are as many as allowed

Counted against `connections_max`: connecting, busy and idle connections.
Lingering ones, whose callers were answered, have a bound of their own, so that
a partner that hangs cannot use up the room of the calls that still flow.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from proxy.http1.client import ClientConnection
from proxy.http1.connect import Resolve, Target, Tell, open_connection
from proxy.model.call import Progress
from proxy.model.message import Failure
from proxy.model.phase import Phase
from proxy.model.route import PoolLimits, Timeouts

_DRAINING = Failure(Phase.QUEUE, "draining", sent=False)


class Pool:
    """All connections of one upstream; no lock, since nothing awaits between check and change."""

    def __init__(
        self,
        target: Target,
        limits: PoolLimits,
        timeouts: Timeouts,
        resolve: Resolve,
        now: Callable[[], float],
        loop: asyncio.AbstractEventLoop,
        tell: Tell | None = None,
    ) -> None:
        self.target = target
        self.limits = limits
        self._timeouts = timeouts
        self._resolve = resolve
        self._tell = tell
        self._now = now
        self._loop = loop
        self._members: set[ClientConnection] = set()
        self._idle: list[ClientConnection] = []
        self._lingering: set[ClientConnection] = set()
        self._opening = 0
        self._waiters: deque[asyncio.Future[ClientConnection | Failure | None]] = deque()
        self._tending: asyncio.Task[None] | None = None
        self._closed = False

    # -- what the transport asks for ---------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether an exchange is at work that a caller waits for."""
        return len(self._members) - len(self._lingering) > len(self._idle)

    def take(self) -> ClientConnection | None:
        """The idle connection used last, if one is still fit; the unfit are closed."""
        idle = self._idle
        if not idle:
            return None
        now = self._now()
        while idle:
            connection = idle.pop()
            if connection.fit() and not self._worn(connection, now):
                if self.limits.prewarm:
                    self.tend()
                return connection
            connection.abort()
        return None

    async def open(
        self, progress: Progress, timeouts: Timeouts, deadline_at: float
    ) -> ClientConnection | Failure:
        """A connection for this attempt, new or freed while waiting; or why there is none."""
        place = await self._place(min(self._now() + timeouts.queue_s, deadline_at))
        if isinstance(place, Failure):
            return place
        progress.queued_at = self._now()
        if place is not None:
            return place
        opened = await self._connect(progress, timeouts, deadline_at)
        if isinstance(opened, ClientConnection) and opened.spoke_first():
            opened.abort()
            return Failure(Phase.CONNECT, "spoke_first", sent=False)
        return opened

    async def check(self, deadline_at: float) -> Failure | None:
        """Open a connection and close it; why it could not be, or None. It waits for no place."""
        if self._room() <= 0 or self._closed:
            return Failure(Phase.QUEUE, "pool_full", sent=False)
        self._opening += 1
        opened = await self._connect(Progress(), self._timeouts, deadline_at)
        if isinstance(opened, Failure):
            return opened
        spoke = opened.closed or opened.spoke_first()
        opened.abort()
        return Failure(Phase.CONNECT, "spoke_first", sent=False) if spoke else None

    async def _place(self, until: float) -> ClientConnection | Failure | None:
        """A freed connection, a place reserved to open one (None), or why there is neither."""
        if self._closed:
            return _DRAINING
        while self._room() <= 0:
            waited = await self._wait(until)
            if not isinstance(waited, ClientConnection) or waited.fit():
                return waited
            if not waited.closed:
                self._opening += 1  # its place is taken over before it could be passed on
                waited.abort()
                return None
        self._opening += 1
        return None

    async def _connect(
        self, progress: Progress, timeouts: Timeouts, deadline_at: float
    ) -> ClientConnection | Failure:
        """Open a connection in the place that was reserved for it."""
        opened: ClientConnection | Failure | None = None
        try:
            opened = await open_connection(
                self.target, self._resolve, timeouts, deadline_at, self._now, progress, self._make,
                self._tell,
            )  # fmt: skip
        finally:
            self._opening -= 1
            if isinstance(opened, ClientConnection) and not opened.closed:
                self._members.add(opened)
            else:
                self._pass_on()
        return opened

    def _make(self) -> ClientConnection:
        return ClientConnection(self, self._loop, self._now)

    def _room(self) -> int:
        used = len(self._members) - len(self._lingering) + self._opening
        return self.limits.connections_max - used

    async def _wait(self, until: float) -> ClientConnection | Failure | None:
        """A freed connection, a reserved place (None), or the failure to get either in time."""
        if len(self._waiters) >= self.limits.waiters_max:
            return Failure(Phase.QUEUE, "pool_full", sent=False)
        waiter: asyncio.Future[ClientConnection | Failure | None] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(max(0.0, until - self._now())):
                return await waiter
        except TimeoutError:
            if waiter.done() and not waiter.cancelled():
                return waiter.result()
            self._forget(waiter)
            return Failure(Phase.QUEUE, "pool_timeout", sent=False)
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._give_back(waiter.result())
            else:
                self._forget(waiter)
            raise

    def _forget(self, waiter: asyncio.Future[ClientConnection | Failure | None]) -> None:
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def _give_back(self, connection: ClientConnection | Failure | None) -> None:
        """A waiter was cancelled in the instant in which it was served."""
        if connection is None:
            self._opening -= 1
            self._pass_on()
        elif not isinstance(connection, Failure):
            self.freed(connection)

    def _next_waiter(self) -> asyncio.Future[ClientConnection | Failure | None] | None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    def _pass_on(self) -> None:
        """A place became free: the first waiter may open a connection in it."""
        if self._waiters and self._room() > 0:
            waiter = self._next_waiter()
            if waiter is not None:
                self._opening += 1
                waiter.set_result(None)

    # -- what connections tell -------------------------------------------------------

    def freed(self, connection: ClientConnection) -> None:
        """Serve the first waiter with it, keep it, or close it."""
        unusable = connection.used and not self.limits.reuse
        if self._closed or unusable or connection.closed:
            connection.abort()
            return
        waiter = self._next_waiter() if self._waiters else None
        if waiter is not None:
            waiter.set_result(connection)
        elif len(self._idle) < self.limits.idle_max:
            self._idle.append(connection)
        else:
            connection.abort()

    def lost(self, connection: ClientConnection) -> None:
        """Forget a connection; told once or twice."""
        self._members.discard(connection)
        self._lingering.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._pass_on()

    def failed(self, unproven_since: float) -> None:
        """A reused connection failed: close its idle siblings, but for those proven alive since.

        A reset says that the partner's process or the path is gone, and proves
        nothing alive; a timeout may be one slow request among many good ones.
        """
        for sibling in [each for each in self._idle if each.idle_since < unproven_since]:
            sibling.abort()

    def may_linger(self, connection: ClientConnection) -> bool:
        """Room for one more lingering connection; its place in the pool becomes free."""
        if self._closed or len(self._lingering) >= self.limits.lingering_max:
            return False
        self._lingering.add(connection)
        self._pass_on()
        return True

    # -- upkeep --------------------------------------------------------------------------

    def _worn(self, connection: ClientConnection, now: float) -> bool:
        return (
            now - connection.idle_since > self.limits.idle_age_max_s
            or now - connection.opened_at > self.limits.age_max_s
        )

    def tend(self) -> None:
        """Called now and then: close what was idle too long, keep the pre-warmed ones ready."""
        now = self._now()
        for connection in [member for member in self._idle if self._worn(member, now)]:
            connection.abort()
        wanted = min(self.limits.prewarm, self._room() + len(self._idle))
        if len(self._idle) < wanted and self._tending is None and not self._closed:
            self._tending = self._loop.create_task(self._prewarm(wanted))

    async def _prewarm(self, wanted: int) -> None:
        try:
            for _ in range(wanted - len(self._idle)):  # a partner that hangs up is not besieged
                if self._room() <= 0 or self._closed:
                    return
                self._opening += 1
                deadline_at = self._now() + self._timeouts.connect_s + self._timeouts.tls_s
                opened = await self._connect(Progress(), self._timeouts, deadline_at)
                if isinstance(opened, Failure):
                    return
                self.freed(opened)
        finally:
            self._tending = None

    def counts(self) -> dict[str, int]:
        """Connections by state, and how many calls wait for one."""
        idle, lingering = len(self._idle), len(self._lingering)
        return {
            "idle": idle,
            "busy": len(self._members) - idle - lingering,
            "lingering": lingering,
            "opening": self._opening,
            "waiting": len(self._waiters),
        }

    async def drain(self, within_s: float) -> None:
        """Close idle connections and tell who waits that there will be none; let lingering ones
        have their time, bounded.
        """
        self._closed = True
        while (waiter := self._next_waiter()) is not None:
            waiter.set_result(_DRAINING)
        if self._tending is not None:
            self._tending.cancel()
        for connection in list(self._idle):
            connection.abort()
        ends_at = self._now() + within_s
        while self._lingering and self._now() < ends_at:
            await asyncio.sleep(0.01)
        for connection in list(self._members):
            connection.abort()

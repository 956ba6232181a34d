"""The application under load: an open-loop client with low overhead.

Every call leaves at the instant its schedule names, whatever became of the
calls before it; latency counts from that instant. So a sidecar that stalls
shows the stall in every call it delays, and cannot slow the load down.
"""

from __future__ import annotations

import asyncio
import gc
import math
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from loadtests.incidents.connection import Connection
from loadtests.incidents.history import CallRecord, History
from loadtests.incidents.metronome import Metronome
from loadtests.incidents.schedule import PlannedCall

_SWEEP_S = 0.1
_CONNECT_TIMEOUT_S = 5.0
_SWITCH_INTERVAL_S = 0.0005
_SWITCH_INTERVAL_DEFAULT_S = sys.getswitchinterval()

Target = str | Callable[[PlannedCall], str]
"""One path for all calls, or each call's own."""


class Driver:
    """Sends scheduled calls to one base URL over keep-alive connections opened on demand.

    At most `connections_max` are open; a call that finds none waits its turn,
    and its latency counts on. A call unanswered `give_up_s` after it was due
    ends as unknown: give every replay a value well above its deadlines.
    """

    def __init__(
        self, base_url: str, *, give_up_s: float = 30.0, connections_max: int = 900
    ) -> None:
        parts = urlsplit(base_url)
        if parts.hostname is None or parts.port is None:
            raise ValueError(f"a driver needs a host and a port, not {base_url!r}")
        self._host, self._port = parts.hostname, parts.port
        self._give_up_s = give_up_s
        self._connections_max = connections_max
        self._open = 0
        self._idle: list[Connection] = []
        self._waiting: deque[tuple[CallRecord, bytes]] = deque()
        self._busy: dict[int, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def in_flight(self) -> int:
        """How many calls are due and have not ended."""
        return len(self._busy) + len(self._waiting)

    async def run(self, path: Target, calls: Sequence[PlannedCall], history: History) -> None:
        """Make `calls`, filling in their `history`, and wait until each has ended."""
        authority = f"{self._host}:{self._port}"
        path_of = path if callable(path) else lambda _: path
        requests = [request_bytes(authority, path_of(call), call) for call in calls]
        records = history.records
        metronome = Metronome(
            [record.scheduled_at for record in records],
            lambda index: self._begin(records[index], requests[index]),
        )
        with undisturbed():
            await asyncio.gather(metronome.run(), self._all_ended(records))

    async def close(self) -> None:
        """Close every connection."""
        for connection in [*self._idle, *self._busy.values()]:
            connection.give_up("driver_closed")
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # an aborted socket is closed in the loop's next turn

    def _begin(self, record: CallRecord, request: bytes) -> None:
        record.taken_at = time.monotonic()
        if self._idle:
            self._send(self._idle.pop(), record, request)
            return
        self._waiting.append((record, request))
        self._open_one()

    def _open_one(self) -> None:
        """Open a connection for whoever waits, if the bound allows it."""
        if self._waiting and self._open < self._connections_max:
            self._open += 1
            task = asyncio.get_running_loop().create_task(self._connect())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _send(self, connection: Connection, record: CallRecord, request: bytes) -> None:
        record.started_at = time.monotonic()
        self._busy[id(connection)] = connection
        connection.send(record, request)

    async def _connect(self) -> None:
        """Open one connection; it serves whoever has waited longest when it stands."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                _, connection = await loop.create_connection(
                    lambda: Connection(self._freed, self._closed), self._host, self._port
                )
        except OSError as error:
            self._open -= 1
            self._refused(type(error).__name__)
        else:
            self._freed(connection)

    def _refused(self, error: str) -> None:
        """The sidecar takes no connection: the call that has waited longest ends, unsent."""
        if self._waiting:
            record, _ = self._waiting.popleft()
            record.error, record.ended_at = error, time.monotonic()

    def _freed(self, connection: Connection) -> None:
        self._busy.pop(id(connection), None)
        if self._waiting:
            self._send(connection, *self._waiting.popleft())
        else:
            self._idle.append(connection)

    def _closed(self, connection: Connection) -> None:
        self._open -= 1
        self._busy.pop(id(connection), None)
        if connection in self._idle:
            self._idle.remove(connection)
        self._open_one()

    async def _all_ended(self, records: Sequence[CallRecord]) -> None:
        """Wait for the last call; give up on those that are overdue."""
        open_calls = deque(records)
        while open_calls:
            if not math.isnan(open_calls[0].ended_at):
                open_calls.popleft()
            elif time.monotonic() > open_calls[0].scheduled_at + self._give_up_s:
                self._abandon(open_calls.popleft())
            else:
                await asyncio.sleep(_SWEEP_S)

    def _abandon(self, record: CallRecord) -> None:
        for connection in list(self._busy.values()):
            if connection.carries(record):
                connection.give_up("no_answer")
                return
        self._waiting = deque(item for item in self._waiting if item[0] is not record)
        record.error, record.ended_at = "never_begun", time.monotonic()


def request_bytes(authority: str, path: str, call: PlannedCall) -> bytes:
    """The whole request on the wire."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {authority}"]
    lines += [f"{name}: {value}" for name, value in call.headers]
    lines += [f"Content-Length: {len(call.body)}", "", ""]
    return "\r\n".join(lines).encode("ascii") + call.body


_quiet = 0
"""How many loads are under way that want to be left alone."""
_frozen_before = False
"""Whether somebody froze something before the first of them: it is not theirs to thaw."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep our own collector and thread switches out of the latencies we measure."""
    global _frozen_before, _quiet
    if _quiet == 0:
        _frozen_before = gc.get_freeze_count() > 0
        gc.collect()
        gc.freeze()
        gc.disable()
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
    _quiet += 1
    try:
        yield
    finally:
        _quiet -= 1
        if _quiet == 0:
            sys.setswitchinterval(_SWITCH_INTERVAL_DEFAULT_S)
            gc.enable()
            if not _frozen_before:
                gc.unfreeze()

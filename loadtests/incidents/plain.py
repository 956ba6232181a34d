"""An application without a sidecar: it calls its partners through aiohttp, as it comes.

One session serves all partners, with the library's bound of 100 connections for
all of them together.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

import aiohttp

from loadtests.incidents.driver import Target, undisturbed
from loadtests.incidents.history import CallRecord, History
from loadtests.incidents.metronome import Metronome
from loadtests.incidents.schedule import PlannedCall

_NOT_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


def plain_session(give_up_s: float, connect_s: float | None = None) -> aiohttp.ClientSession:
    """A session for a whole application; only its timeouts are not the library's."""
    timeout = aiohttp.ClientTimeout(total=give_up_s, sock_connect=connect_s)
    return aiohttp.ClientSession(timeout=timeout)


class PlainCaller:
    """Makes the calls of a schedule, open loop: to `base_url` and the path of each.

    Where no connection could be made a call is tried once more at `again_at`, if there is such a
    place; nothing was sent.
    """

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, again_at: str | None = None
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._again_at = again_at
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def in_flight(self) -> int:
        """How many calls are due and have not ended."""
        return len(self._tasks)

    async def run(self, path: Target, calls: Sequence[PlannedCall], history: History) -> None:
        """Make `calls`, and wait until each has ended."""
        path_of = path if callable(path) else lambda _: path
        records = history.records

        def begin(index: int) -> None:
            path = path_of(calls[index])
            record = records[index]
            record.taken_at = record.started_at = time.monotonic()
            task = asyncio.get_running_loop().create_task(self._call(record, calls[index], path))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        with undisturbed():
            await Metronome([record.scheduled_at for record in records], begin).run()
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Stop what still runs; the session is its owner's."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _call(self, record: CallRecord, call: PlannedCall, path: str) -> None:
        record.sent = True
        try:
            try:
                await self._try(record, call, self._base_url + path)
            except _NOT_CONNECTED:
                if self._again_at is None:
                    raise
                await self._try(record, call, self._again_at + path)
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            record.error = type(error).__name__
        record.ended_at = time.monotonic()

    async def _try(self, record: CallRecord, call: PlannedCall, url: str) -> None:
        record.attempts += 1
        async with self._session.post(url, data=call.body, headers=dict(call.headers)) as answer:
            await answer.read()
            record.status = answer.status
            record.echoed_nonce = answer.headers.get("Sandbox-Nonce", "")
            with suppress(KeyError, ValueError):
                record.partner_time_s = float(answer.headers["Sandbox-Time-Ms"]) / 1000

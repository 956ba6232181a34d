"""What pages are told as it changes, by server-sent events: made once for all who look.

While somebody looks, at most once a second, everything is looked through in pieces
of a fraction of a millisecond with pauses between, so that calls do not wait for
it, and what has changed is sent. Nobody looks: nothing runs, nothing is kept. Who
does not keep up is dropped; a page that is dropped comes again and gets everything.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

from aiohttp import web

from proxy.admin.calls import problem

VIEWERS_MAX = 20
EVERY_S = 1.0
PIECE_S = 0.000_1
"""A call that comes in the meantime waits no longer than this, and the row that is being made."""
PAUSE_S = 0.002
"""A thousand slices take 0.5 s so, and the loop is free for all but a twentieth of that."""
WAITING_MAX = 160
"""Chunks for one viewer; the first look at 4,000 slices is 100."""
_TOGETHER = 40
"""Rows in one chunk, about 15 kB."""
_ROWS = "rows"
_TEXT = json.JSONEncoder(separators=(",", ":")).encode

Piece = tuple[str, str, Any]
"""Kind, key, and a document. Those of kind `rows` travel many in one event."""
Pieces = Callable[[], Iterator[Piece]]


class Viewer:
    """Somebody who looks; `cut` ends the connection."""

    def __init__(self, cut: Callable[[], None]) -> None:
        self.cut = cut
        self.waiting: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING_MAX)
        """None is the end."""


class Live:
    """`pieces` goes through everything, `bug` is told of what is our own fault."""

    def __init__(
        self,
        pieces: Pieces,
        bug: Callable[[BaseException], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pieces = pieces
        self._bug = bug
        self._sleep = sleep
        self._now = now
        self._known: dict[tuple[str, str], str] = {}
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self.viewers: list[Viewer] = []
        self.dropped = 0

    def join(self, cut: Callable[[], None]) -> Viewer | None:
        """One more, who gets all that is known; None if there are enough."""
        if self._closed or len(self.viewers) >= VIEWERS_MAX:
            return None
        viewer = Viewer(cut)
        self.viewers.append(viewer)
        for chunk in _chunks((kind, text) for (kind, _), text in self._known.items()):
            self._give(viewer, chunk)
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """It looks no more."""
        if viewer in self.viewers:
            self.viewers.remove(viewer)
        if not self.viewers and self._task is not None:
            self._task.cancel()
            self._task = None
            self._known.clear()

    async def close(self) -> None:
        """Let everybody go; the listener ends."""
        self._closed = True
        for viewer in list(self.viewers):
            self._drop(viewer)

    async def _run(self) -> None:
        while True:
            began_at = self._now()
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - told; the next look may go well
                self._bug(error)
            await self._sleep(max(PAUSE_S, EVERY_S - (self._now() - began_at)))

    async def look(self) -> None:
        """Go through everything once, and send what is new."""
        fresh: list[tuple[str, str]] = []
        began_at = self._now()
        for kind, key, document in self._pieces():
            text = _TEXT(document)
            if self._known.get((kind, key)) != text:
                self._known[kind, key] = text
                fresh.append((kind, text))
            if len(fresh) >= _TOGETHER:
                await self._send(fresh)
                fresh, began_at = [], self._now()
            if self._now() - began_at >= PIECE_S:
                await self._sleep(PAUSE_S)
                began_at = self._now()
        await self._send(fresh)
        await self._send([("beat", _TEXT({"every_s": EVERY_S}))])

    async def _send(self, found: Iterable[tuple[str, str]]) -> None:
        """Each viewer in a turn of the loop of its own: ten in one turn would hold it for long."""
        for chunk in _chunks(found):
            for viewer in list(self.viewers):
                if viewer in self.viewers:  # it may have gone since
                    self._give(viewer, chunk)
                    await self._sleep(0.0)

    def _give(self, viewer: Viewer, chunk: bytes) -> None:
        try:
            viewer.waiting.put_nowait(chunk)
        except asyncio.QueueFull:
            self.dropped += 1
            self._drop(viewer)

    def _drop(self, viewer: Viewer) -> None:
        viewer.cut()
        while not viewer.waiting.empty():
            viewer.waiting.get_nowait()
        viewer.waiting.put_nowait(None)
        self.leave(viewer)


def _chunks(found: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    """Events; rows together."""
    rows: list[str] = []
    for kind, text in found:
        if kind != _ROWS:
            yield _event(kind, text)
            continue
        rows.append(text)
        if len(rows) == _TOGETHER:
            yield _event(_ROWS, f"[{','.join(rows)}]")
            rows = []
    if rows:
        yield _event(_ROWS, f"[{','.join(rows)}]")


def _event(kind: str, text: str) -> bytes:
    return f"event: {kind}\ndata: {text}\n\n".encode()


async def serve(live: Live, request: web.Request) -> web.StreamResponse:
    """One viewer, until it goes or is dropped."""

    def cut() -> None:
        if request.transport is not None:
            request.transport.abort()

    viewer = live.join(cut)
    if viewer is None:
        return problem(503, "viewers", "So many look already; close a page.")
    response = web.StreamResponse()
    response.content_type = "text/event-stream"
    try:
        await response.prepare(request)
        await response.write(b"retry: 2000\n\n")
        while (chunk := await viewer.waiting.get()) is not None:
            await response.write(chunk)
            await asyncio.sleep(0)  # who has just come has much to be written
    except ConnectionResetError:
        return response  # it has gone, which is how all of them end
    finally:
        live.leave(viewer)
    return response

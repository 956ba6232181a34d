"""Ten viewers of the page: plain sockets that read all server-sent events and check them.

`python -m loadtests.viewers.audience --port N`, on the load core. Says `ready` once
everybody has every slice, counts from then on, and prints one JSON object at SIGTERM.
It gives way to whoever measures (SCHED_IDLE), and reads whenever the core is free.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import signal
import socket
import time
from dataclasses import asdict
from typing import Any

import httptools

from loadtests.viewers.payload import SLICES
from loadtests.viewers.results import VIEWERS, Audience

WAIT_S = 0.2
RECEIVE_BYTES = 65536


class Gone(Exception):
    """The stream ended, or was none."""


class Viewer:
    """One connection, and what it knows of the page."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5.0)
        request = f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n"
        self.socket.sendall(request.encode() + b"\r\n")
        self.socket.setblocking(False)
        self.rows: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.beats = self.changes = self.bytes = 0
        self.beat_at = time.monotonic()
        self.gap_s = 0.0
        self._parser = httptools.HttpResponseParser(self)
        self._text = b""

    def slices(self) -> int:
        """Rows of single values, which calls have met."""
        return sum(bool(row["value"]) for row in self.rows.values())

    def begin(self) -> None:
        """Count from here on."""
        self.beats = self.changes = self.bytes = 0
        self.beat_at, self.gap_s = time.monotonic(), 0.0

    def read(self) -> None:
        """Take what has come. Raises Gone."""
        data = self.socket.recv(RECEIVE_BYTES)
        if not data:
            raise Gone
        self.bytes += len(data)
        self._parser.feed_data(data)

    def on_headers_complete(self) -> None:
        """httptools: the answer begins. Raises Gone for one that is no stream."""
        if self._parser.get_status_code() != 200:
            raise Gone

    def on_body(self, piece: bytes) -> None:
        """httptools: a piece of the stream, which need not end where an event does."""
        *events, self._text = (self._text + piece).split(b"\n\n")
        for event in events:
            self._take(event)

    def _take(self, event: bytes) -> None:
        kind, _, data = event.partition(b"\n")
        if kind == b"event: beat":
            now = time.monotonic()
            self.gap_s, self.beat_at = max(self.gap_s, now - self.beat_at), now
            self.beats += 1
        elif kind == b"event: rows":
            rows = json.loads(data.removeprefix(b"data: "))
            self.changes += len(rows)
            for row in rows:
                self.rows[row["upstream"], row["operation"], str(row["value"])] = row


class Watching:
    """All viewers, until they are told to stop."""

    def __init__(self, port: int, count: int = VIEWERS) -> None:
        self._viewers = [Viewer(port) for _ in range(count)]
        self._selector = selectors.DefaultSelector()
        for each in self._viewers:
            self._selector.register(each.socket, selectors.EVENT_READ, each)
        self._began_at = 0.0
        self._cpu_s = 0.0
        self.stopping = False

    def all_here(self) -> bool:
        """Whether everybody has every slice."""
        return all(each.slices() >= SLICES for each in self._viewers)

    def begin(self) -> None:
        """Count from here on."""
        for each in self._viewers:
            each.begin()
        self._began_at, self._cpu_s = time.monotonic(), time.process_time()

    def turn(self) -> None:
        """Read what there is; who is gone is not looked for again."""
        for key, _ in self._selector.select(WAIT_S):
            viewer: Viewer = key.data
            try:
                viewer.read()
            except (Gone, OSError, httptools.HttpParserError):
                self._selector.unregister(viewer.socket)
                viewer.socket.close()

    def told(self) -> Audience:
        """The least of all viewers."""
        now = time.monotonic()
        return Audience(
            viewers=len(self._selector.get_map()),
            slices=min(each.slices() for each in self._viewers),
            beats=min(each.beats for each in self._viewers),
            changes=min(each.changes for each in self._viewers),
            bytes=sum(each.bytes for each in self._viewers),
            seconds=now - self._began_at,
            beat_gap_s=max(max(each.gap_s, now - each.beat_at) for each in self._viewers),
            cpu_s=time.process_time() - self._cpu_s,
        )

    def stop(self, *_: object) -> None:
        """A signal came."""
        self.stopping = True

    def close(self) -> None:
        """Everybody goes."""
        for key in list(self._selector.get_map().values()):
            key.data.socket.close()
        self._selector.close()


def main() -> None:
    """Command line of the viewers' process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    watching = Watching(port)
    signal.signal(signal.SIGTERM, watching.stop)
    while not watching.stopping and not watching.all_here():
        watching.turn()
    watching.begin()
    print("ready", flush=True)
    while not watching.stopping:
        watching.turn()
    print(json.dumps(asdict(watching.told())), flush=True)
    watching.close()


if __name__ == "__main__":
    main()

"""The thread that sends telemetry, and the bounds that keep it from mattering.

It gets bytes and does nothing but send them, so that it holds the interpreter for
moments only: encoding in a thread would let a call wait whenever the machine
takes that thread from its core. A collector that hangs holds this thread alone:
meanwhile traces wait, up to `waiting_max`, then they are counted and dropped;
of metrics only the newest export waits. What could not be sent is tried twice
more, then dropped.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from proxy.telemetry.senders import Sender, Sent

_GATHER_S = 1.0
_BATCH_MAX = 200
"""Traces of one sending: about 300 KiB."""
_PAUSES_S = (1.0, 4.0)
"""Before the second and the third try."""
_CLOSE_S = 2.0
"""For what waits when the sidecar ends."""


class Tally:
    """What became of one signal; each counter is written by one thread alone."""

    def __init__(self) -> None:
        self.sent = 0
        self.overflowed = 0
        """Dropped since too much waited; written by whoever offers."""
        self.failed = 0
        """Dropped since the collector did not take it."""
        self.broken = 0
        """Dropped since it could not be encoded, our own bug; written by whoever encodes."""


class Exporter:
    """Takes encoded traces and metrics without waiting; `sender` is made by its thread."""

    def __init__(self, sender: Callable[[], Sender], waiting_max: int) -> None:
        self._make_sender = sender
        self._sender: Sender | None = None
        self._waiting_max = waiting_max
        self._traces: deque[bytes] = deque()
        self._metrics: deque[bytes] = deque()
        self._stop = threading.Event()
        self.tallies = {"traces": Tally(), "metrics": Tally()}
        self.trouble = ""
        """Why the last sending failed; empty since one was taken."""
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    def room(self, besides: int) -> bool:
        """Whether one more trace may wait, with so many that are not encoded yet; counts it if
        not.
        """
        if len(self._traces) + besides < self._waiting_max:
            return True
        self.tallies["traces"].overflowed += 1
        return False

    def offer(self, trace: bytes) -> None:
        """Take one trace that there was room for; never waits."""
        self._traces.append(trace)

    def offer_metrics(self, metrics: bytes) -> None:
        """Take one export of metrics in place of an older one that still waits."""
        if self._metrics:
            self._metrics.clear()
            self.tallies["metrics"].overflowed += 1
        self._metrics.append(metrics)

    def waiting(self) -> int:
        """Traces that wait."""
        return len(self._traces)

    def watch(self) -> None:
        """To be called every second: end a sending that takes too long."""
        if self._sender is not None:
            self._sender.give_up(time.monotonic())

    def close(self) -> None:
        """Send what waits, if it can be sent in time."""
        self._stop.set()
        self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        ended = False
        while not ended:
            ended = self._stop.wait(_GATHER_S)
            try:
                self._flush()
            except Exception as error:  # noqa: BLE001 - telemetry may be lost, its thread not
                self.trouble = f"bug_{type(error).__name__}"
        if self._sender is not None:
            self._sender.close()

    def _flush(self) -> None:
        while self._metrics:
            self._deliver("metrics", [self._metrics.popleft()])
        while self._traces:
            count = min(len(self._traces), _BATCH_MAX)
            self._deliver("traces", [self._traces.popleft() for _ in range(count)])

    def _deliver(self, signal: str, pieces: list[bytes]) -> None:
        """Send, again if that may help. Messages of one type put together are one message."""
        body = b"".join(pieces)
        for pause_s in (*_PAUSES_S, None):
            sent = self._send(signal, body)
            self.trouble = sent.trouble
            if not sent.trouble:
                self.tallies[signal].sent += len(pieces)
                return
            if not sent.again or pause_s is None or self._stop.wait(pause_s):
                break
        self.tallies[signal].failed += len(pieces)

    def _send(self, signal: str, body: bytes) -> Sent:
        if self._sender is None:
            self._sender = self._make_sender()
        return self._sender.send(signal, body)

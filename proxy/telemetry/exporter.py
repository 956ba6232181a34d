"""The thread that sends telemetry, and the bounds that keep it from mattering.

It takes what waits once a second, encodes piece by piece with a rest after each
(so a call never waits longer for the interpreter than for one piece), and sends.
A collector that hangs holds this thread alone: meanwhile traces wait, up to
`waiting_max`, then they are counted and dropped; of metrics only the newest
export waits. What could not be sent is tried again twice, then dropped.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from proxy.telemetry.senders import Sender, Sent

T = TypeVar("T")
M = TypeVar("M")
_GATHER_S = 1.0
_REST_S = 0.0005
_BATCH_MAX = 200
"""Traces of one sending: about 200 KiB."""
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
        """Dropped since it could not be encoded: our own bug."""


class Exporter(Generic[T, M]):
    """Takes traces and metrics without waiting; `encode` makes the pieces of what is sent."""

    def __init__(
        self,
        sender: Callable[[], Sender],
        encode_trace: Callable[[T], bytes],
        encode_metrics: Callable[[M], Iterable[bytes]],
        waiting_max: int,
    ) -> None:
        self._make_sender = sender
        self._sender: Sender | None = None
        self._encode_trace = encode_trace
        self._encode_metrics = encode_metrics
        self._waiting_max = waiting_max
        self._traces: deque[T] = deque()
        self._metrics: deque[M] = deque()
        self._stop = threading.Event()
        self.tallies = {"traces": Tally(), "metrics": Tally()}
        self.trouble = ""
        """Why the last sending failed; empty since one was taken."""
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    def offer(self, trace: T) -> None:
        """Take one trace, or count it; never waits."""
        if len(self._traces) >= self._waiting_max:
            self.tallies["traces"].overflowed += 1
            return
        self._traces.append(trace)

    def offer_metrics(self, metrics: M) -> None:
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
            newest = self._metrics.popleft()
            pieces = self._encoded("metrics", self._encode_metrics(newest))
            self._deliver("metrics", pieces, 1)
        while self._traces:
            batch = [self._traces.popleft() for _ in range(min(len(self._traces), _BATCH_MAX))]
            pieces = [
                piece
                for trace in batch
                for piece in self._encoded("traces", map(self._encode_trace, (trace,)))
            ]
            self._deliver("traces", pieces, len(pieces))

    def _encoded(self, signal: str, encoding: Iterable[bytes]) -> list[bytes]:
        """The pieces, with a rest after each; none of what cannot be encoded."""
        pieces = []
        try:
            for piece in encoding:
                pieces.append(piece)
                if not self._stop.is_set():
                    time.sleep(_REST_S)
        except Exception:  # noqa: BLE001 - one that we cannot encode must not keep the others
            self.tallies[signal].broken += 1
            return []
        return pieces

    def _deliver(self, signal: str, pieces: list[bytes], count: int) -> None:
        """Send, again if that may help. Messages of one type put together are one message."""
        if not pieces:
            return
        body = b"".join(pieces)
        for pause_s in (*_PAUSES_S, None):
            sent = self._send(signal, body)
            self.trouble = sent.trouble
            if not sent.trouble:
                self.tallies[signal].sent += count
                return
            if not sent.again or pause_s is None or self._stop.wait(pause_s):
                break
        self.tallies[signal].failed += count

    def _send(self, signal: str, body: bytes) -> Sent:
        if self._sender is None:
            self._sender = self._make_sender()
        return self._sender.send(signal, body)

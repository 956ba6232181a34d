"""Open loop: calls begin on a schedule laid down beforehand, whatever the subject does.

Latency counts from the scheduled instant, so a subject that stalls is charged for every call
that had to wait (no coordinated omission). 16 connections; when all are busy, a call waits for
one and the wait counts. Plain blocking sockets under `select`, because its timeout has
microseconds where epoll's has milliseconds: event loops would be late by up to a millisecond.

Runs as a process of its own (`python -m loadtests.bench.openloop`), prints one JSON object.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Self

import httptools

from loadtests.bench.host import REPOSITORY, BenchError, spawning_on
from loadtests.bench.payload import ANSWER_BODY, request_bytes
from loadtests.bench.results import Opened
from loadtests.bench.schedule import poisson_schedule, sum_up

CONNECTIONS = 16
ANSWER_TIMEOUT_S = 5.0
START_TIMEOUT_S = 30
PR_SET_TIMERSLACK = 29


class Broken(Exception):
    """The subject gave something other than the expected answer; ends the open loop."""


class Connection:
    """One kept-alive connection with at most one call on it."""

    def __init__(self, port: int) -> None:
        """Connect to loopback."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due_at = 0.0
        self.number = 0
        self.body = b""
        self._parser = httptools.HttpResponseParser(self)
        self._complete = False

    def on_body(self, piece: bytes) -> None:
        """httptools: a piece of the answer's body."""
        self.body += piece

    def on_message_complete(self) -> None:
        """httptools: the answer is whole."""
        self._complete = True

    def send(self, request: bytes, due_at: float, number: int) -> None:
        """Begin the call of this number that was due at `due_at` (monotonic seconds)."""
        self.due_at = due_at
        self.number = number
        self.body = b""
        self._complete = False
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take what has come; True when the answer is whole. Raises Broken for a wrong one."""
        data = self.socket.recv(65536)
        if not data:
            raise Broken("connection closed instead of an answer")
        self._parser.feed_data(data)
        if not self._complete:
            return False
        status = self._parser.get_status_code()
        if status != 200:
            raise Broken(f"status {status}")
        return True


class OpenLoop:
    """One pass over a schedule; `request` and `answered` are what another load has of its own."""

    def __init__(self, port: int, connections: int = CONNECTIONS) -> None:
        """Open all connections."""
        self._request = request_bytes(port)
        self._free = deque(Connection(port) for _ in range(connections))
        self._busy: dict[socket.socket, Connection] = {}
        self._waiting: deque[tuple[float, int]] = deque()
        self.latencies_s: list[float] = []
        self.lags_s: list[float] = []
        self._all = tuple(self._free)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for connection in self._all:
            connection.socket.close()

    def request(self, _: int) -> bytes:
        """The request of a call, by its number in the schedule."""
        return self._request

    def answered(self, connection: Connection, took_s: float) -> None:
        """A call of the schedule has its answer. Raises Broken for a wrong one."""
        self._check(connection)
        self.latencies_s.append(took_s)

    def _check(self, connection: Connection) -> None:
        if connection.body != ANSWER_BODY.encode("ascii"):
            raise Broken("the answer's body is not the upstream's")

    def warm(self) -> None:
        """One call on each connection, not measured. Raises Broken."""
        for connection in self._all:
            connection.send(self.request(0), 0.0, 0)
            while not connection.receive():
                pass
            self._check(connection)

    def run(self, schedule: Sequence[float]) -> None:
        """Begin each call at its instant; return when all are answered. Raises Broken."""
        start = time.monotonic() + 0.05
        for number, offset in enumerate(schedule):
            due_at = start + offset
            while (left_s := due_at - time.monotonic()) > 0:
                self._collect(left_s)
            self._begin(due_at, number)
        give_up_at = time.monotonic() + ANSWER_TIMEOUT_S
        while self._busy:
            if time.monotonic() > give_up_at:
                raise Broken(f"{len(self._busy)} calls without an answer")
            self._collect(0.1)

    def _begin(self, due_at: float, number: int) -> None:
        """Send now, or wait for a connection."""
        if not self._free:
            self._collect(0.0)
        if not self._free:
            self._waiting.append((due_at, number))
            return
        self._send(self._free.popleft(), due_at, number)
        self.lags_s.append(time.monotonic() - due_at)

    def _send(self, connection: Connection, due_at: float, number: int) -> None:
        connection.send(self.request(number), due_at, number)
        self._busy[connection.socket] = connection

    def _collect(self, wait_s: float) -> None:
        """Take answers for at most `wait_s`; give freed connections to waiting calls."""
        readable, _, _ = select.select(list(self._busy), (), (), wait_s)
        for ready in readable:
            connection = self._busy[ready]
            if not connection.receive():
                continue
            self.answered(connection, time.monotonic() - connection.due_at)
            del self._busy[ready]
            if self._waiting:
                self._send(connection, *self._waiting.popleft())
            else:
                self._free.append(connection)


def wake_in_time() -> None:
    """Let this process be woken within 1 ns of an instant, and not within 50 us."""
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)


def parse_open(output: str) -> tuple[Opened | None, list[str]]:
    """What the process printed, as figures or as the problem that ended it."""
    said = json.loads(output)
    if "problem" in said:
        return None, [f"open loop: {said['problem']}"]
    return Opened(**said), []


def open_loop(
    port: int, core: int, calls_per_s: int, seconds: int, seed: int
) -> tuple[Opened | None, list[str]]:
    """Run this generator as a process on `core`."""
    return parse_open(generate("loadtests.bench.openloop", port, core, calls_per_s, seconds, seed))


def generate(
    module: str, port: int, core: int, calls_per_s: float, seconds: float, seed: int
) -> str:
    """Run a generator, a program with `arguments`, as a process on `core`; what it printed."""
    argv = [
        *(sys.executable, "-m", module, "--port", str(port)),
        *("--rate", str(calls_per_s), "--seconds", str(seconds), "--seed", str(seed)),
    ]
    limit_s = seconds + ANSWER_TIMEOUT_S + START_TIMEOUT_S
    with spawning_on(core):
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=limit_s, check=False, cwd=REPOSITORY
        )
    if done.returncode != 0:
        raise BenchError(f"{module} ended with {done.returncode}: {done.stderr[-1000:]}")
    return done.stdout


def arguments(description: str | None) -> argparse.Namespace:
    """The command line of a generator process."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="calls per second")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    return parser.parse_args()


def main() -> None:
    """Generate, and print the figures."""
    args = arguments(__doc__)
    wake_in_time()
    schedule = poisson_schedule(args.rate, args.seconds, args.seed)
    gc.disable()
    try:
        with OpenLoop(args.port) as loop:
            loop.warm()
            loop.run(schedule)
    except (Broken, OSError, httptools.HttpParserError) as problem:
        print(json.dumps({"problem": f"{type(problem).__name__}: {problem}"}))
        return
    print(json.dumps(asdict(sum_up(loop.latencies_s, loop.lags_s))))


if __name__ == "__main__":
    main()

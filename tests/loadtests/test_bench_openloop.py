"""The bench's open loop against a real server: what it measures and what it refuses."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from loadtests.bench.openloop import CONNECTIONS, Broken, OpenLoop
from loadtests.bench.payload import ANSWER_BODY


@contextmanager
def partner(status: int = 200, delay_s: float = 0.0, body: str = ANSWER_BODY) -> Iterator[int]:
    """An HTTP/1.1 server on a free port that answers each POST after `delay_s`."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(delay_s)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep the test's output clean."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 64  # the default of 5 would drop connections, for a second each

    server = Server(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_open_loop_measures_every_scheduled_call() -> None:
    """As many latencies as calls in the schedule."""
    with partner() as port, OpenLoop(port) as loop:
        loop.run([n / 1000 for n in range(40)])
    assert len(loop.latencies_s) == 40
    assert min(loop.latencies_s) > 0


def test_open_loop_charges_waiting_to_the_subject() -> None:
    """A call that finds all connections busy is measured from its scheduled instant."""
    with partner(delay_s=0.05) as port, OpenLoop(port) as loop:
        loop.run([0.0] * (CONNECTIONS + 1))
    assert len(loop.latencies_s) == CONNECTIONS + 1
    assert max(loop.latencies_s) >= 0.1


def test_open_loop_refuses_other_statuses() -> None:
    """Anything but 200 ends the open loop, 2xx included."""
    with partner(status=201) as port, OpenLoop(port) as loop:
        with pytest.raises(Broken, match="status 201"):
            loop.warm()


def test_open_loop_refuses_other_bodies() -> None:
    """A subject that answers by itself instead of relaying is found out."""
    with partner(body="{}") as port, OpenLoop(port) as loop:
        with pytest.raises(Broken, match="not the upstream's"):
            loop.warm()

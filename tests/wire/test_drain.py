"""SIGTERM: accept nothing more, finish what runs, exit 0; bounded."""

from __future__ import annotations

import threading
import time

import pytest

from tests.support import config
from tests.support.client import Client, request
from tests.support.origin import Origin
from tests.support.peer import Peer, answer
from tests.wire.conftest import Start


def _settings(port: int, drain: str) -> config.Document:
    return config.document(
        {"one": config.upstream(port)},
        [config.route("/one/", ["one"])],
        listen={"timeout_drain": drain},
    )


def test_a_running_call_is_finished(start: Start) -> None:
    """Its answer arrives after SIGTERM, nobody else is let in meanwhile, and the exit is 0."""
    arrived, go_on = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        arrived.set()
        assert go_on.wait(10)
        peer.send(answer(200, b"finished"))

    with Origin(script) as origin:
        sidecar = start(_settings(origin.port, "8s"))
        with Client(sidecar.payments) as idle, Client(sidecar.payments) as client:
            client.send(request("POST", "/one/x", b"{}"))
            assert arrived.wait(5)
            sidecar.terminate()
            assert idle.at_end()
            with pytest.raises(ConnectionError):
                Client(sidecar.payments)
            assert sidecar.alive()
            go_on.set()
            reply = client.receive()
            assert (reply.status, reply.body) == (200, b"finished")
            assert reply.header("connection") == "close"
            assert client.at_end()
        assert sidecar.wait(5) == 0


def test_the_drain_is_bounded(start: Start) -> None:
    """A partner that never answers holds the exit no longer than timeout_drain; it is not 0."""
    arrived = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        arrived.set()
        peer.wait_closed()

    with Origin(script) as origin:
        sidecar = start(_settings(origin.port, "300ms"))
        with Client(sidecar.payments) as client:
            client.send(request("POST", "/one/x", b"{}"))
            assert arrived.wait(5)
            began_at = time.monotonic()
            assert sidecar.stop(8) != 0
            assert time.monotonic() - began_at < 5
            assert "Traceback" not in sidecar.stderr

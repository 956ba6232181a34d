"""Connections to a partner: whose answer is it, and what a dead connection costs."""

from __future__ import annotations

import threading

import pytest

from tests.support import config
from tests.support.client import Client
from tests.support.origin import OK, Origin
from tests.support.peer import Peer, Script, answer
from tests.wire.conftest import House, Start

TIMED_OUT = answer(408, b"", [("Connection", "close")])


def test_a_clean_connection_is_reused(house: House) -> None:
    """Many calls, one connection."""
    with house.client() as client:
        assert [client.call("POST", "/pool/x").status for _ in range(5)] == [200] * 5
    assert (len(house.one.received), house.one.accepted) == (5, 1)


def test_a_connection_is_not_reused_when_the_upstream_says_so(house: House) -> None:
    """`reuse: false` opens a new connection for every call."""
    with house.client() as client:
        assert [client.call("POST", "/one/x").status for _ in range(3)] == [200] * 3
    assert (len(house.one.received), house.one.accepted) == (3, 3)


@pytest.mark.parametrize(
    ("name", "disturb"),
    [
        ("408", lambda peer: peer.send(TIMED_OUT)),
        ("evil answer", lambda peer: peer.send(answer(200, b"EVIL"))),
        ("one byte", lambda peer: peer.send(b"x")),
        ("FIN", Peer.half_close),
        ("RST", Peer.reset),
    ],
)
def test_whatever_happens_while_idle_closes_the_connection(
    house: House, name: str, disturb: Script
) -> None:
    """The next call never sees it: it gets a new connection and its own answer."""
    disturbed, closed = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)
        if peer.number == 1:
            assert disturbed.wait(5)
            disturb(peer)
            if name != "RST":
                assert peer.wait_closed() == b""
            closed.set()

    house.one.forget(script)
    with house.client() as client:
        assert client.call("POST", "/pool/first", b"{}").body == b"ok"
        disturbed.set()
        assert closed.wait(5)
        reply = client.call("POST", "/pool/second", b"{}")
        assert (reply.status, reply.body, reply.execution) == (200, b"ok", "done")
    assert [each.target for each in house.one.received] == ["/pool/first", "/pool/second"]


def test_408_on_a_reused_connection_is_in_doubt(house: House) -> None:
    """It may be meant for the idle connection, or for the charge: nobody can tell."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)
        peer.read_request()
        peer.send(TIMED_OUT)

    house.one.forget(script)
    with house.client() as client:
        assert client.call("POST", "/pool/x").status == 200
        reply = client.call("POST", "/pool/x")
        assert (reply.status, reply.outcome, reply.execution) == (502, "in_doubt", "unknown")


def test_408_on_a_new_connection_is_an_answer(house: House) -> None:
    """There it can only mean the call; it still proves nothing."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(TIMED_OUT)

    house.one.forget(script)
    reply = house.call("POST", "/one/x")
    assert (reply.status, reply.outcome, reply.execution) == (408, "answered", "unknown")


def test_a_failure_on_a_reused_connection_discards_the_idle_ones(start: Start) -> None:
    """When one kept connection turns out dead, its siblings are not tried one by one."""
    together = threading.Barrier(3)

    def script(peer: Peer) -> None:
        peer.read_request()
        if peer.number <= 3:
            together.wait(5)
        peer.send(OK)
        if peer.number > 3:
            return
        peer.read_request()  # the second call on a kept connection gets no answer

    with Origin(script) as origin:
        settings = config.document(
            {"one": config.upstream(origin.port)}, [config.route("/", ["one"])]
        )
        sidecar = start(settings)
        clients = [Client(sidecar.payments) for _ in range(3)]
        for client in clients:
            client.send(b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        assert [client.receive().status for client in clients] == [200] * 3
        assert clients[0].call("POST", "/x").outcome == "in_doubt"
        assert clients[0].call("POST", "/x").status == 200
        assert origin.accepted == 4
        for client in clients:
            client.close()
        sidecar.kill()


def test_waiting_for_a_connection_is_bounded(start: Start) -> None:
    """A full pool makes a call wait its own timeout, and then nothing has been sent."""
    arrived, go_on = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        arrived.set()
        assert go_on.wait(10)
        peer.send(OK)

    with Origin(script) as origin:
        pool = {"connections_max": 1}
        upstream = config.upstream(origin.port, pool=pool, timeouts={"queue": "100ms"})
        sidecar = start(config.document({"one": upstream}, [config.route("/", ["one"])]))
        with Client(sidecar.payments) as first, Client(sidecar.payments) as second:
            first.send(b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            assert arrived.wait(5)
            reply = second.call("POST", "/x")
            assert (reply.status, reply.outcome, reply.execution) == (503, "unsent", "none")
            assert reply.problem["phase"] == "queue"
            go_on.set()
            assert first.receive().status == 200
        assert len(origin.received) == 1


def test_prewarmed_connections_wait_for_calls(start: Start) -> None:
    """`prewarm` opens connections before the first call, and refills."""
    with Origin() as origin:
        upstream = config.upstream(origin.port, pool={"prewarm": 3, "reuse": False})
        sidecar = start(config.document({"one": upstream}, [config.route("/", ["one"])]))
        origin.wait_accepted(3)
        with Client(sidecar.payments) as client:
            assert client.call("POST", "/x").status == 200
        origin.wait_accepted(4)
        sidecar.kill()


def test_proxies_of_the_environment_are_ignored(start: Start) -> None:
    """Credentials never leave by a proxy that somebody exported."""
    with Origin() as origin, Origin() as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        settings = config.document(
            {"one": config.upstream(origin.port)}, [config.route("/", ["one"])]
        )
        sidecar = start(settings, environment=dict.fromkeys(names, address))
        with Client(sidecar.payments) as client:
            assert client.call("POST", "/x", b"{}").status == 200
        assert (len(origin.received), proxy.accepted) == (1, 0)

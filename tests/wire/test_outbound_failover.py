"""When a call moves to the next candidate: if, and only if, nothing can have been executed."""

from __future__ import annotations

import pytest

from tests.support import config
from tests.support.client import Client
from tests.support.origin import Origin
from tests.support.peer import Peer, Script, always, answer
from tests.wire.conftest import House, Start, dead_port

OK = answer(200, b"from the first")


def reading(act: Script) -> Script:
    """A script that reads one request whole, then acts."""

    def script(peer: Peer) -> None:
        peer.read_request()
        act(peer)

    return script


def _send_and_reset(peer: Peer, data: bytes) -> None:
    peer.send(data)
    peer.reset()


ENDINGS: dict[str, Script] = {
    "closed without an answer": reading(Peer.close),
    "reset without an answer": reading(Peer.reset),
    "half a head": reading(lambda peer: peer.send(OK[:20])),
    "head without its body": reading(lambda peer: peer.send(OK[:-5])),
    "half a chunked body": reading(
        lambda peer: peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
    ),
    "reset inside the body": reading(lambda peer: _send_and_reset(peer, OK[:-5])),
}


def test_a_refused_connection_moves_on(house: House) -> None:
    """Nobody listened, so nothing was executed: the next candidate answers."""
    reply = house.call("POST", "/dead/x", b"{}")
    assert (reply.status, reply.outcome, reply.execution) == (200, "answered", "done")
    assert (reply.header("tidegate-upstream"), reply.header("tidegate-attempts")) == ("other", "2")
    [received] = house.other.received
    assert received.body == b"{}"


@pytest.mark.parametrize("name", ENDINGS)
def test_a_cut_answer_is_in_doubt_and_never_moved(house: House, name: str) -> None:
    """The first partner may have charged: the second must not hear of the call."""
    house.one.forget(ENDINGS[name])
    reply = house.call("POST", "/two/x", b"{}")
    assert (reply.status, reply.outcome, reply.execution) == (502, "in_doubt", "unknown")
    assert reply.problem["execution"] == "unknown"
    assert reply.header("tidegate-upstream") == "one"
    assert (len(house.one.received), house.other.accepted) == (1, 0)


@pytest.mark.parametrize("status", [500, 502, 503, 408, 409, 425])
def test_an_answer_that_proves_nothing_passes_as_unknown(house: House, status: int) -> None:
    """A complete 5xx is an answer, labelled unknown, and it is not moved either."""
    house.one.forget(always(answer(status, b"hm")))
    reply = house.call("POST", "/two/x", b"{}")
    assert (reply.status, reply.body) == (status, b"hm")
    assert (reply.outcome, reply.execution) == ("answered", "unknown")
    assert house.other.accepted == 0


def test_an_answer_that_proves_nothing_was_done_moves_on(house: House) -> None:
    """429 executes nothing by the default table, so the next candidate may have the call."""
    house.one.forget(always(answer(429, b"slow down")))
    reply = house.call("POST", "/two/x", b"{}")
    assert (reply.status, reply.header("tidegate-upstream")) == (200, "other")
    assert len(house.other.received) == 1


def test_a_decline_is_an_answer(house: House) -> None:
    """402 is done: what the first partner decided is not asked of the second."""
    house.one.forget(always(answer(402, b"declined")))
    reply = house.call("POST", "/two/x", b"{}")
    assert (reply.status, reply.body, reply.execution) == (402, b"declined", "done")
    assert house.other.accepted == 0


def test_an_inquiry_may_move_after_a_doubt(house: House) -> None:
    """Asking moves no money, so it may be asked elsewhere."""
    house.one.forget(ENDINGS["closed without an answer"])
    reply = house.call("POST", "/ask/x", b"{}")
    assert (reply.status, reply.header("tidegate-upstream")) == (200, "other")


def test_every_candidate_refusing_is_unsent(start: Start) -> None:
    """Nothing was executed anywhere, and the reply says so."""
    with dead_port() as first, dead_port() as second:
        settings = config.document(
            {"first": config.upstream(first), "second": config.upstream(second)},
            [config.route("/", ["first", "second"])],
        )
        with Client(start(settings).payments) as client:
            reply = client.call("POST", "/x", b"{}")
    assert (reply.status, reply.outcome, reply.execution) == (502, "unsent", "none")
    assert (reply.problem["phase"], reply.problem["reason"]) == ("connect", "refused")
    assert reply.header("tidegate-attempts") == "2"


def test_a_hung_partner_is_in_doubt_at_the_deadline(start: Start) -> None:
    """The caller's own, shorter deadline holds, and ends in doubt without another attempt."""
    with Origin(reading(lambda peer: peer.send(peer.wait_closed()))) as one, Origin() as other:
        settings = config.document(
            {"one": config.upstream(one.port), "other": config.upstream(other.port)},
            [config.route("/", ["one", "other"])],
        )
        sidecar = start(settings)
        with Client(sidecar.payments) as client:
            reply = client.call("POST", "/x", b"{}", [("Tidegate-Deadline-Ms", "300")])
        assert (reply.status, reply.outcome, reply.execution) == (504, "in_doubt", "unknown")
        assert other.accepted == 0
        sidecar.kill()

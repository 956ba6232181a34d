"""Deadlines and numbers: no client can hold a connection for ever, and there are only so many."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support import config
from tests.support.client import Client, request
from tests.support.origin import Origin
from tests.support.sidecar import Address, Sidecar

DEADLINE_S = 0.4
MARGIN_S = 3.0
"""For a busy machine; without the deadline under test a connection would stay far longer."""


@dataclass(frozen=True, slots=True)
class Impatient:
    """The module's sidecar by its payment address, and the origin behind it."""

    payments: Address
    origin: Origin


@pytest.fixture(scope="module")
def impatient(loop_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Impatient]:
    """A sidecar with short deadlines for every wait on a client, and room for three of them."""
    listen = {
        "timeout_header": "400ms",
        "timeout_body": "400ms",
        "timeout_idle": "400ms",
        "connections_max": 3,
    }
    with Origin() as origin:
        upstreams = {"one": config.upstream(origin.port)}
        settings = config.document(upstreams, [config.route("/one/", ["one"])], listen=listen)
        folder = tmp_path_factory.mktemp("impatient")
        with Sidecar(settings, folder, loop=loop_name) as sidecar:
            yield Impatient(sidecar.payments, origin)


@pytest.mark.parametrize(
    ("name", "data", "replies"),
    [
        ("header", request("POST", "/one/x", b"")[:20], 1),
        ("body", request("POST", "/one/x", b"hello")[:-1], 1),
        ("idle", b"", 0),
    ],
)
def test_each_wait_on_a_client_has_its_deadline(
    impatient: Impatient, name: str, data: bytes, replies: int
) -> None:
    """Closed in time: with 408 in the middle of a message, silently between messages."""
    impatient.origin.forget()
    began_at = time.monotonic()
    with Client(impatient.payments) as client:
        client.send(data)
        if replies:
            assert client.receive().status == 408
        assert client.at_end()
    assert DEADLINE_S * 0.9 <= time.monotonic() - began_at < DEADLINE_S + MARGIN_S
    assert impatient.origin.received == []


def test_trickling_does_not_extend_a_deadline(impatient: Impatient) -> None:
    """A byte now and then is not progress: the deadline is for the whole."""
    began_at = time.monotonic()
    with Client(impatient.payments) as client:
        client.send(b"POST /one/x HTTP/1.1\r\nX-Slow: ")
        while client.silent_for(0.05) and time.monotonic() - began_at < 5:
            client.send(b"x")
        assert client.receive().status == 408
    assert time.monotonic() - began_at < DEADLINE_S + MARGIN_S


def test_idle_time_counts_from_the_last_answer(impatient: Impatient) -> None:
    """A connection in use is not idle, however long it lasts in all."""
    with Client(impatient.payments) as client:
        for _ in range(4):
            assert client.call("POST", "/one/x").status == 200
            time.sleep(DEADLINE_S / 2)


def test_connections_are_bounded(impatient: Impatient) -> None:
    """One too many is told so and closed; when one leaves there is room again."""
    with (
        Client(impatient.payments) as one,
        Client(impatient.payments) as two,
        Client(impatient.payments) as three,
    ):
        assert [each.call("POST", "/one/x").status for each in (one, two, three)] == [200] * 3
        with Client(impatient.payments) as four:
            assert four.receive().status == 503
            assert four.at_end()
        three.close()
        for _ in range(100):
            with Client(impatient.payments) as five:
                five.send(request("POST", "/one/x"))
                if five.receive().status == 200:
                    return
            time.sleep(0.01)
    raise AssertionError("no room although a connection has left")

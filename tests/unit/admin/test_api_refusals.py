"""`proxy.admin.api`: whom the listener refuses, and what it never repeats."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

import pytest

from proxy.admin.api import Reports, start
from tests.support.client import Client
from tests.support.sidecar import Address, parse_address
from tests.support.values import CARD
from tests.unit.admin.serving import BOTH_LOOPS, get, serving


@BOTH_LOOPS
def test_only_this_machine_by_name_is_served(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Any other Host, or none, is misdirected; that is how DNS rebinding shows."""

    def use(address: Address) -> None:
        for host in ("127.0.0.1", "127.0.0.1:8081", "localhost:1", "LocalHost", "[::1]", "[::1]:9"):
            assert get(address, "/healthz", host=host).status == 200, host
        for host in ("evil.example", "127.0.0.1.evil.example", "", "localhost.", "127.0.0.2"):
            assert get(address, "/healthz", host=host).status == 421, host
        with Client(address) as client:
            client.send(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert client.rest().startswith(b"HTTP/1.0 421")

    serving(loop, use)


def test_a_request_without_a_host_asks_no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking up our own name would stop the loop that payments run on."""

    def fail(*_: object) -> str:
        raise AssertionError("the name of this machine was looked up")

    monkeypatch.setattr(socket, "getfqdn", fail)

    def use(address: Address) -> None:
        with Client(address) as client:
            client.send(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert client.rest().startswith(b"HTTP/1.0 421")

    serving(asyncio.new_event_loop, use)


@BOTH_LOOPS
def test_pages_of_other_origins_are_refused(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Another port of this machine is another origin; typing the address is not."""

    def use(address: Address) -> None:
        for fields in (
            ("Origin", "http://evil.example"),
            ("Origin", "null"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
        ):
            assert get(address, "/findings", fields).status == 403, fields
        for value in ("none", "same-origin"):
            assert get(address, "/findings", ("Sec-Fetch-Site", value)).status == 200, value

    serving(loop, use)


@BOTH_LOOPS
def test_it_is_read_only_and_knows_no_other_page(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """And what it does not know it does not repeat."""

    def use(address: Address) -> None:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert get(address, "/healthz", method=method).status == 405
        unknown = get(address, f"/{CARD}?pan={CARD}")
        assert unknown.status == 404
        assert CARD.encode() not in unknown.raw

    serving(loop, use)


BAD = [
    f"GET /{CARD} \x01 HTTP/1.1\r\n\r\n",
    f"{CARD}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: localhost\r\nX-Card\x12: {CARD}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00{CARD}\r\n\r\n",
    f"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{CARD}zz\r\n",
    f"GET / HTTP/{CARD}\r\n\r\n",
    f"GET /{CARD * 1000} HTTP/1.1\r\nHost: localhost\r\n\r\n",
]


@BOTH_LOOPS
@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_offending_bytes_are_neither_echoed_nor_logged(
    loop: Callable[[], asyncio.AbstractEventLoop],
    bad: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A payment sent to the wrong port holds a card number; aiohttp would repeat and log it."""
    caplog.set_level(logging.DEBUG)

    def use(address: Address) -> None:
        with Client(address) as client:
            client.send(bad.encode("latin-1"))
            client.half_close()
            assert CARD.encode() not in client.rest()
        assert get(address, "/healthz").status == 200

    serving(loop, use)
    seen = capfd.readouterr()
    assert CARD not in caplog.text + seen.out + seen.err


@BOTH_LOOPS
def test_a_failing_report_says_nothing_of_the_failure(
    loop: Callable[[], asyncio.AbstractEventLoop], capfd: pytest.CaptureFixture[str]
) -> None:
    """500 without a traceback, and the listener lives."""

    def fail() -> str:
        raise ValueError(CARD)

    async def main() -> None:
        reports = Reports(lambda: True, fail, dict)
        listener = await start(reports, "127.0.0.1", 0, None, 0o600)
        address = parse_address(listener.url)
        reply = await asyncio.to_thread(get, address, "/metrics")
        assert reply.status == 500
        assert CARD.encode() not in reply.raw
        assert (await asyncio.to_thread(get, address, "/healthz")).status == 200
        await listener.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())
    assert CARD not in "".join(capfd.readouterr())

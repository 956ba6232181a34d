"""Rules for proxies that fail: unsent in phase connect, with a reason that names the proxy."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from dataclasses import replace

import pytest
import trustme

from proxy.http1.connect import Target
from proxy.http1.tunnel_reply import REPLY_BYTES_MAX
from proxy.model.message import Failure
from proxy.model.phase import Phase
from tests.support.forward_proxy import ForwardProxy
from tests.support.origin import Origin
from tests.unit.http1.caller import CLIENT, SERVER
from tests.unit.http1.test_connect import blackhole, descriptors, dial, hang_up
from tests.unit.http1.test_tunnel import PARTNER, target, via

OPENED = b"HTTP/1.1 200 OK\r\n\r\n"
FAULTS = {
    b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n": "proxy_auth",
    b"HTTP/1.1 403 No\r\n\r\n": "proxy_refused",
    b"HTTP/1.1 502 No\r\n\r\n<html>": "proxy_no_route",
    b"\x15\x03\x01\x00\x02\x02\x16\r\n\r\n": "proxy_malformed",
    b"HTTP/1.1 200 OK\r\nX: " + b"x" * REPLY_BYTES_MAX: "proxy_header_bytes_max",
    OPENED + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n": "proxy_spoke_first",
    b"": "proxy_timeout",
    b"HTTP/1.1 200": "proxy_timeout",
}


def failed(reason: str) -> Failure:
    """Before anything was sent."""
    return Failure(Phase.CONNECT, reason, sent=False)


@pytest.mark.parametrize("to_proxy", [False, True], ids=["proxy", "tls-proxy"])
@pytest.mark.parametrize(("reply", "reason"), FAULTS.items(), ids=[*range(len(FAULTS))])
async def test_a_proxy_that_opens_no_tunnel(reply: bytes, reason: str, to_proxy: bool) -> None:
    """Whatever it says or keeps to itself; the connection is closed."""
    with ForwardProxy(tls=SERVER if to_proxy else None) as proxy:
        proxy.reply = reply
        to = target(via(proxy, tls=to_proxy), CLIENT)
        begun_at, before = time.monotonic(), descriptors()
        assert await dial(0, target=to, connect_s=0.3) == failed(reason)
        assert time.monotonic() - begun_at < 2.0
        async with asyncio.timeout(5.0):
            while descriptors() > before:
                await asyncio.sleep(0.001)


async def test_bytes_that_come_after_the_tunnel_stands() -> None:
    """Are the proxy's or the partner's, asked for by nobody: what they end is unsent."""
    with Origin() as origin, ForwardProxy({PARTNER.decode(): origin.port}) as proxy:
        proxy.opened = OPENED + b"early"
        assert await dial(0, target=target(via(proxy), CLIENT)) == failed("proxy_spoke_first")
        assert origin.received == []


async def test_a_proxy_that_hangs_up() -> None:
    """In place of a reply."""
    with ForwardProxy() as proxy:
        proxy.hangs_up = True
        assert await dial(0, target=target(via(proxy), CLIENT)) == failed("proxy_closed")


async def test_wrong_credentials() -> None:
    """Are told apart from a refusal: somebody has to mend the configuration."""
    with ForwardProxy({PARTNER.decode(): 1}) as proxy:
        proxy.user = "us:secret"
        for said in (None, b"Basic d3Jvbmc="):
            to = target(via(proxy, user=said), None)
            assert await dial(0, target=to) == failed("proxy_auth")


async def test_a_partner_that_the_proxy_cannot_reach(closed_port: int) -> None:
    """Is the proxy's word, not our own connection's."""
    with ForwardProxy({PARTNER.decode(): closed_port}) as proxy:
        assert await dial(0, target=target(via(proxy), None)) == failed("proxy_no_route")


async def test_a_proxy_that_is_not_there(closed_port: int) -> None:
    """Refused or silent, it is the proxy that cannot be reached."""
    with ForwardProxy() as proxy:
        through = via(proxy)
    with blackhole() as silent:
        for port in (closed_port, silent):
            to = target(replace(through, port=port), None)
            assert await dial(0, target=to, connect_s=0.05) == failed("proxy_unreachable")


async def test_a_proxy_whose_name_is_not_resolved() -> None:
    """Is told in its phase, and is not the partner's name either."""
    with ForwardProxy() as proxy:
        to = target(via(proxy), None)
        failure = await dial(0, target=to, found="no_such_name")
        assert failure == Failure(Phase.RESOLVE, "proxy_no_such_name", sent=False)


async def test_a_proxy_with_a_wrong_certificate() -> None:
    """Gets no CONNECT, and so no credentials."""
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(other)
    with ForwardProxy(tls=other) as proxy:
        to = target(via(proxy, tls=True, user=b"Basic dXM6c2VjcmV0"), None)
        assert await dial(0, target=to) == failed("proxy_certificate_unknown_ca")
        assert proxy.asked == []


async def test_the_next_place_where_there_is_no_way_to_the_first() -> None:
    """In their order, each on a connection of its own; a refusal ends it."""
    with Origin() as origin, ForwardProxy({"192.0.2.2:443": origin.port}) as proxy:
        two = replace(via(proxy), places=(b"192.0.2.1:443", b"192.0.2.2:443"))
        await hang_up(await dial(0, target=target(two, None)))
        assert [each.to for each in proxy.asked] == ["192.0.2.1:443", "192.0.2.2:443"]
        proxy.asked.clear()
        proxy.reply = b"HTTP/1.1 403 No\r\n\r\n"
        assert await dial(0, target=target(two, None)) == failed("proxy_refused")
        assert len(proxy.asked) == 1


async def test_a_source_address_towards_a_proxy() -> None:
    """Is what the proxy sees; one that is not ours is not the proxy's fault."""
    with Origin() as origin, ForwardProxy({PARTNER.decode(): origin.port}) as proxy:
        to = Target("partner.test", 443, None, "", {socket.AF_INET: "127.0.0.2"}, via(proxy))
        await hang_up(await dial(0, target=to))
        assert proxy.asked[0].peer == "127.0.0.2"
        strange = replace(to, sources={socket.AF_INET: "192.0.2.7"})
        assert await dial(0, target=strange) == failed("no_source_address")


@pytest.mark.parametrize("to_proxy", [False, True], ids=["proxy", "tls-proxy"])
async def test_a_cancelled_tunnel_leaves_no_socket(to_proxy: bool) -> None:
    """Cancellation passes through, and the descriptor is closed."""
    with ForwardProxy(tls=SERVER if to_proxy else None) as proxy:
        proxy.reply = b""
        before = descriptors()
        task = asyncio.ensure_future(dial(0, target=target(via(proxy, tls=to_proxy), None)))
        async with asyncio.timeout(5.0):
            while not proxy.asked:
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            while descriptors() > before:
                await asyncio.sleep(0.001)

"""Rules for tunnels: CONNECT says where to, and inside stands what would stand without a proxy."""

from __future__ import annotations

import asyncio
import ssl

import pytest
import uvloop

from proxy.http1.connect import Target
from proxy.http1.securing import Securable
from proxy.http1.tunnel import Via, place
from proxy.model.call import Progress
from proxy.model.message import Failure
from proxy.model.phase import Phase
from tests.support.forward_proxy import Asked, ForwardProxy
from tests.support.origin import Origin
from tests.support.peer import Peer, always, answer
from tests.unit.http1.caller import AUTHORITY, CLIENT, SERVER, Caller
from tests.unit.http1.test_connect import dial, hang_up

PARTNER = b"partner.test:443"
EACH = pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
PROXIES = pytest.mark.parametrize("to_proxy", [False, True], ids=["proxy", "tls-proxy"])


def via(proxy: ForwardProxy, *, tls: bool = False, user: bytes | None = None) -> Via:
    """Through this proxy, to `partner.test`."""
    return Via("localhost", proxy.port, CLIENT if tls else None, (PARTNER,), user)


def target(through: Via, context: ssl.SSLContext | None, name: str = "localhost") -> Target:
    """A partner whose name only the proxy can look up."""
    return Target("partner.test", 443, context, name, via=through)


@EACH
@PROXIES
async def test_calls_through_a_tunnel(tls: bool, to_proxy: bool) -> None:
    """One tunnel serves many calls, and the proxy hears where to and nothing else."""
    with (
        Origin(always(answer(200, b"fine")), tls=SERVER if tls else None) as origin,
        ForwardProxy({PARTNER.decode(): origin.port}, tls=SERVER if to_proxy else None) as proxy,
    ):
        caller = Caller(origin, tls=tls)
        caller.pool.target = target(via(proxy, tls=to_proxy), CLIENT if tls else None)
        for _ in range(3):
            assert (await caller.answer(b"x" * 200_000)).body == b"fine"
        assert proxy.asked == [Asked("partner.test:443", ("Host: partner.test:443",), "127.0.0.1")]
        assert len(origin.received) == 3
        await caller.pool.drain(0.0)
        await caller.until()


async def test_credentials_go_to_the_proxy_alone() -> None:
    """The partner never sees them."""
    with (
        Origin(tls=SERVER) as origin,
        ForwardProxy({PARTNER.decode(): origin.port}) as proxy,
    ):
        proxy.user = "us:secret"
        caller = Caller(origin, tls=True)
        caller.pool.target = target(via(proxy, user=b"Basic dXM6c2VjcmV0"), CLIENT)
        await caller.answer()
        assert origin.received[0].header("proxy-authorization") is None
        await caller.pool.drain(0.0)


async def refused_certificate(to_proxy: bool) -> None:
    """A tunnel to somebody whose certificate is good, and not the partner's."""
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("elsewhere").configure_cert(other)
    with (
        Origin(tls=other) as origin,
        ForwardProxy({PARTNER.decode(): origin.port}, tls=SERVER if to_proxy else None) as proxy,
    ):
        progress = Progress()
        to = target(via(proxy, tls=to_proxy), CLIENT)
        failure = await dial(0, target=to, progress=progress)
        assert failure == Failure(Phase.TLS, "certificate_hostname", sent=False)
        assert progress.connected_at


async def test_the_certificate_is_the_partners() -> None:
    """A proxy that leads elsewhere, or has a good certificate of its own, is not the partner."""
    await refused_certificate(to_proxy=False)


def test_the_certificate_is_the_partners_inside_tls() -> None:
    """On uvloop alone: asyncio before Python 3.11.8 trips over its own end of TLS in TLS."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(refused_certificate(to_proxy=True))


def silent(peer: Peer) -> None:
    """Says nothing until the other side gives up."""
    peer.wait_closed()


async def test_a_partner_that_is_silent_in_the_handshake() -> None:
    """Has the time of phase tls, as without a proxy."""
    with (
        Origin(silent) as origin,
        ForwardProxy({PARTNER.decode(): origin.port}) as proxy,
    ):
        failure = await dial(0, target=target(via(proxy), CLIENT), tls_s=0.05)
        assert failure == Failure(Phase.TLS, "timeout", sent=False)


async def test_the_phases_are_recorded() -> None:
    """Connect lasts until the tunnel stands."""
    with Origin() as origin, ForwardProxy({PARTNER.decode(): origin.port}) as proxy:
        progress = Progress()
        opened = await dial(0, target=target(via(proxy), None), progress=progress)
        assert isinstance(opened, Securable)
        assert 0.0 < progress.resolved_at <= progress.connected_at <= progress.secured_at
        await hang_up(opened)


@pytest.mark.parametrize(
    ("host", "written"),
    [
        ("psp.example", b"psp.example:443"),
        ("192.0.2.1", b"192.0.2.1:443"),
        ("2001:db8::1", b"[2001:db8::1]:443"),
    ],
)
def test_a_place(host: str, written: bytes) -> None:
    """As RFC 9110 writes an authority."""
    assert place(host, 443) == written

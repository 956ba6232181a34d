"""Rules for the TLS phase: a handshake that fails is unsent, and says whose fault it is."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import time
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import trustme

from proxy.http1.connect import Target
from proxy.http1.securing import tls_reason
from proxy.model.call import Progress
from proxy.model.message import Failure
from proxy.model.phase import Phase
from tests.support.origin import Origin
from tests.support.peer import Peer, Script
from tests.unit.http1.test_connect import Plain, dial, hang_up

LONG_AGO, FAR = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
AUTHORITY, STRANGER = trustme.CA(), trustme.CA()
PATIENCE_S = 10.0
ContextChange = Callable[[ssl.SSLContext], None]


def hold(peer: Peer) -> None:
    """Keep the connection until the client ends it."""
    peer.wait_closed()


def server(certificate: trustme.LeafCert, *changes: ContextChange) -> ssl.SSLContext:
    """A server's context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    for change in changes:
        change(context)
    return context


def client(*changes: ContextChange) -> ssl.SSLContext:
    """A context that verifies."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    AUTHORITY.configure_trust(context)
    for change in changes:
        change(context)
    return context


def wants_certificate(context: ssl.SSLContext) -> None:
    """TLS 1.2, where its absence shows in the handshake itself."""
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    AUTHORITY.configure_trust(context)


def outdated(context: ssl.SSLContext) -> None:
    """TLS 1.0 and 1.1 only."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")


def newest(context: ssl.SSLContext) -> None:
    """TLS 1.3 only."""
    context.minimum_version = ssl.TLSVersion.TLSv1_3


def older(context: ssl.SSLContext) -> None:
    """TLS 1.2 at most."""
    context.maximum_version = ssl.TLSVersion.TLSv1_2


def strange(context: ssl.SSLContext) -> None:
    """With a certificate of our own that nobody asked for, from an authority nobody knows."""
    STRANGER.issue_cert("application").configure_cert(context)


async def secure(origin: Origin, context: ssl.SSLContext, **over: Any) -> Plain | Failure:
    """Open a connection to an origin that is called `localhost`."""
    target = Target("localhost", origin.port, context, "localhost")
    return await dial(origin.port, target=target, **over)


GOOD = AUTHORITY.issue_cert("localhost")
SERVERS: dict[str, tuple[ssl.SSLContext, ssl.SSLContext, str]] = {
    "another name": (server(AUTHORITY.issue_cert("other")), client(), "certificate_hostname"),
    "an address for a name": (
        server(AUTHORITY.issue_cert("127.0.0.1")), client(), "certificate_hostname"
    ),
    "an unknown authority": (
        server(STRANGER.issue_cert("localhost")), client(), "certificate_unknown_ca"
    ),
    "an expired certificate": (
        server(AUTHORITY.issue_cert("localhost", not_after=LONG_AGO)), client(),
        "certificate_expired",
    ),
    "a certificate of the future": (
        server(AUTHORITY.issue_cert("localhost", not_before=FAR)), client(),
        "certificate_not_yet_valid",
    ),
    "a server that is too old": (server(GOOD, outdated), client(), "protocol_version"),
    "a server that is too new": (server(GOOD, newest), client(older), "protocol_version"),
    "a certificate of ours that is refused": (
        server(GOOD, wants_certificate), client(strange), "client_certificate_refused"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SERVERS)
async def test_a_handshake_that_fails(name: str) -> None:
    """Unsent, in phase tls, with a reason that tells what to repair; and no socket is left."""
    theirs, ours, reason = SERVERS[name]
    with Origin(hold, tls=theirs) as origin:
        progress = Progress()
        target = Target("localhost", origin.port, ours, "localhost")
        failure = await dial(origin.port, target=target, progress=progress)
        assert failure == Failure(Phase.TLS, reason, sent=False)
        assert progress.connected_at
        assert not progress.secured_at


def answers_in_cleartext(peer: Peer) -> None:
    """A server that does not speak TLS."""
    peer.read_some()
    peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    peer.wait_closed()


def hangs_up(peer: Peer) -> None:
    """FIN behind the greeting."""
    peer.read_some()


def resets(peer: Peer) -> None:
    """RST behind the greeting."""
    peer.read_some()
    peer.reset()


@pytest.mark.parametrize(
    ("script", "reason"),
    [(answers_in_cleartext, "handshake_failed"), (hangs_up, "handshake_closed"),
     (resets, "handshake_closed")],
)  # fmt: skip
async def test_a_partner_that_does_not_shake_hands(script: Script, reason: str) -> None:
    """Whatever it does instead."""
    with Origin(script) as origin:
        failure = await secure(origin, client())
        assert failure == Failure(Phase.TLS, reason, sent=False)


class Silence:
    """A partner that says nothing, and knows when it was left."""

    def __init__(self) -> None:
        self.begun, self.ended = asyncio.Event(), asyncio.Event()
        self.loop = asyncio.get_running_loop()

    def __call__(self, peer: Peer) -> None:
        peer.read_some()
        self.loop.call_soon_threadsafe(self.begun.set)
        peer.wait_closed()
        self.loop.call_soon_threadsafe(self.ended.set)


@pytest.mark.parametrize("limit", [{"tls_s": 0.05}, {"deadline_in_s": 0.2}])
async def test_a_silent_handshake_has_its_time(limit: dict[str, Any]) -> None:
    """Its own, or what is left of the call's; then the partner sees the end."""
    silence = Silence()
    with Origin(silence) as origin:
        begun_at = time.monotonic()
        failure = await secure(origin, client(), **limit)
        assert failure == Failure(Phase.TLS, "timeout", sent=False)
        assert time.monotonic() - begun_at < 3.0
        await asyncio.wait_for(silence.ended.wait(), PATIENCE_S)


async def test_a_cancelled_handshake_leaves_no_socket() -> None:
    """Cancellation passes through, and the partner sees the end."""
    silence = Silence()
    with Origin(silence) as origin:
        task = asyncio.ensure_future(secure(origin, client()))
        await asyncio.wait_for(silence.begun.wait(), PATIENCE_S)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(silence.ended.wait(), PATIENCE_S)


@pytest.mark.parametrize("limit", [[], [older]], ids=["TLS 1.3", "TLS 1.2"])
async def test_a_good_handshake(limit: list[ContextChange]) -> None:
    """Verified, for the name that was asked for, and recorded."""
    with Origin(hold, tls=server(GOOD, *limit)) as origin:
        progress = Progress()
        target = Target("localhost", origin.port, client(), "localhost")
        opened = await dial(origin.port, target=target, progress=progress)
        assert isinstance(opened, Plain)
        assert opened.transport is not None
        secured = opened.transport.get_extra_info("ssl_object")
        assert secured.context.verify_mode is ssl.CERT_REQUIRED
        assert progress.connected_at <= progress.secured_at
        await hang_up(opened)


async def test_our_certificate_is_shown_where_it_is_wanted() -> None:
    """A partner that asks for it gets it."""

    def ours(context: ssl.SSLContext) -> None:
        AUTHORITY.issue_cert("application").configure_cert(context)

    with Origin(hold, tls=server(GOOD, wants_certificate)) as origin:
        await hang_up(await secure(origin, client(ours)))


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "client_certificate_required"),
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "client_certificate_refused"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "client_certificate_refused"),
        ("TLSV1_ALERT_UNKNOWN_CA", "client_certificate_refused"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "protocol_version"),
        ("UNSUPPORTED_PROTOCOL", "protocol_version"),
        ("WRONG_VERSION_NUMBER", "handshake_failed"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "handshake_failed"),
        (None, "handshake_failed"),
    ],
)
def test_reasons_of_openssl_are_words_of_ours(reason: str | None, word: str) -> None:
    """Ours to repair, theirs to repair, or not to be told."""
    error = ssl.SSLError(1, "x")
    if reason is not None:
        error.reason = reason
    assert tls_reason(error) == word

"""`proxy.telemetry.otlp_http`: every way in which a collector can fail has a word, and an end."""

from __future__ import annotations

import ssl
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from proxy.model.telemetry import Collector
from proxy.telemetry.otlp_http import HttpSender, context
from proxy.telemetry.senders import Sent
from tests.support.collector import bad_collector, http_collector


def _at(url: str, **over: object) -> Collector:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return Collector(False, parts.hostname, parts.port, "/otlp", timeout_s=0.3, **over)  # type: ignore[arg-type]


def test_a_body_goes_to_its_signals_path_with_the_headers() -> None:
    """And what the collector answers comes back."""
    with http_collector(answer=b"partly") as (url, received):
        sent = HttpSender(_at(url, headers=(("X-Key", "k"),))).send("metrics", b"body")
    assert sent == Sent(answer=b"partly")
    assert received.bodies["metrics"] == [b"body"]
    assert received.headers[0]["X-Key"] == "k"
    assert received.headers[0]["Content-Type"] == "application/x-protobuf"


@pytest.mark.parametrize(
    ("status", "again"), [(400, False), (401, False), (302, False), (500, False), (429, True),
                          (502, True), (503, True), (504, True)],
)  # fmt: skip
def test_a_status_says_whether_to_try_again(status: int, again: bool) -> None:
    """As the protocol has it; a redirect is not followed, since headers are credentials."""
    with http_collector(status) as (url, _):
        assert HttpSender(_at(url)).send("traces", b"x") == Sent(f"status_{status}", again)


@pytest.mark.parametrize(
    ("kind", "trouble"),
    [
        ("hangs", "timeout"),
        ("dies", "connection"),
        ("refuses", "refused"),
        ("floods", "connection"),
    ],
)
def test_a_misbehaving_collector_is_given_up(kind: str, trouble: str) -> None:
    """Within the timeout; an endless answer is not read to any end."""
    with bad_collector(kind) as url:
        began_at = time.monotonic()
        assert HttpSender(_at(url)).send("traces", b"x") == Sent(trouble, again=True)
    assert time.monotonic() - began_at < 3.0


def test_a_trickle_is_cut_from_outside() -> None:
    """It never runs into the socket's own timeout, and what was cut is not taken for an answer."""
    with bad_collector("trickles") as url:
        sender, ended = HttpSender(_at(url)), threading.Event()

        def watch() -> None:
            while not ended.wait(0.05):
                sender.give_up(time.monotonic())

        watching = threading.Thread(target=watch)
        watching.start()
        sent = sender.send("traces", b"x")
        ended.set()
        watching.join()
    assert sent == Sent("timeout", again=True)


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    """With a word of its own; trying again would not help."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    with http_collector(tls=server) as (url, received):
        strict = _at(url)
        collector = Collector(True, strict.host, strict.port, "", timeout_s=2.0)
        assert HttpSender(collector).send("traces", b"x") == Sent("tls")
    assert received.bodies["traces"] == []


def test_trust_and_our_own_certificate_come_from_files(tmp_path: Path) -> None:
    """Both are read when the first sending needs them."""
    authority = trustme.CA()
    mine = authority.issue_cert("tidegate.example")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    mine.private_key_pem.write_to_path(tmp_path / "key.pem")
    mine.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    server.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(server)
    with http_collector(tls=server) as (url, received):
        there = _at(url)
        ca, chain, key = (str(tmp_path / name) for name in ("ca.pem", "cert.pem", "key.pem"))
        collector = Collector(True, there.host, there.port, "", False, (), ca, chain, key)
        assert HttpSender(collector).send("traces", b"x") == Sent()
        assert context(collector).verify_mode is ssl.CERT_REQUIRED
    assert received.bodies["traces"] == [b"x"]

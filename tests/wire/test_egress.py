"""Two ways out to one endpoint, in the real process: one path dies, and nobody pays twice."""

from __future__ import annotations

import json
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.support import config
from tests.support.client import Client, Reply
from tests.support.forward_proxy import ForwardProxy
from tests.support.origin import Origin
from tests.support.peer import GoneError, Peer, answer
from tests.support.sidecar import Sidecar, SidecarError

NAME = "psp.test"
PORT = 8443


class Bank:
    """A partner that honours repeated keys. It may hold its answers back until told otherwise."""

    def __init__(self) -> None:
        self.executed: list[str] = []
        self.asked: list[tuple[str, str]] = []
        """Key and address of the caller, of each request."""
        self.got = threading.Event()
        self.release = threading.Event()
        self.release.set()

    def script(self, peer: Peer) -> None:
        """Executes each key once."""
        while True:
            key = peer.read_request().header("idempotency-key") or ""
            self.asked.append((key, peer.socket.getpeername()[0]))
            if key not in self.executed:
                self.executed.append(key)
            self.got.set()
            if not self.release.wait(10):
                raise GoneError(b"", reset=False)
            peer.send(answer(201, b"charge", reason="Created"))


def house(
    folder: Path, ways: dict[str, dict[str, Any]], authority: trustme.CA | None
) -> config.Document:
    """One partner; each upstream is the same URL by another way out."""
    base: dict[str, Any] = {"url": f"http://{NAME}:{PORT}", "allow_cleartext": True}
    if authority is not None:
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        base = {"url": f"https://{NAME}:{PORT}", "tls": {"ca_file": "ca.pem"}}
    base |= {"timeouts": {"connect": "500ms", "first_byte": "5s"}, "pool": {"linger": "100ms"}}
    upstreams = {name: base | {"egress": egress} for name, egress in ways.items()}
    document = config.document(
        upstreams, [config.route("/", list(ways))], journal={"path": str(folder / "j.db")}
    )
    document["partners"]["partner"]["idempotency"] = {"header": "Idempotency-Key"}
    return document


def _server(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(context)
    return context


def through(proxy: ForwardProxy, **over: Any) -> dict[str, Any]:
    """A way out through a proxy."""
    return {"proxy": {"url": f"http://127.0.0.1:{proxy.port}", **over}}


def pay(sidecar: Sidecar, key: str) -> Reply:
    """One payment, on a connection of its own."""
    with Client(sidecar.payments) as client:
        return client.call("POST", "/charges", b'{"amount": 1}', [("Idempotency-Key", key)])


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_call_in_doubt_is_repeated_by_the_other_way(tmp_path: Path, tls: bool) -> None:
    """Under the same key, at the same endpoint: one execution, and the application has its answer.
    New calls go the other way, too.
    """
    bank, authority, place = Bank(), trustme.CA(), f"{NAME}:{PORT}"
    context = _server(authority) if tls else None
    with (
        Origin(bank.script, tls=context) as origin,
        ForwardProxy({place: origin.port}) as one,
        ForwardProxy({place: origin.port}) as other,
    ):
        ways = {"one": through(one), "other": {**through(other), "source_address": "127.0.0.2"}}
        with Sidecar(house(tmp_path, ways, authority if tls else None), tmp_path) as sidecar:
            assert pay(sidecar, "k0").header("tidegate-upstream") == "one"
            bank.got.clear()
            bank.release.clear()
            replies: list[Reply] = []
            paying = threading.Thread(target=lambda: replies.append(pay(sidecar, "k1")))
            paying.start()
            assert bank.got.wait(10)
            one.stop()
            paying.join(10)
            bank.release.set()
            [doubt] = replies
            assert (doubt.outcome, doubt.execution) == ("in_doubt", "unknown")
            again, fresh = pay(sidecar, "k1"), pay(sidecar, "k2")
        for reply in (again, fresh):
            assert (reply.status, reply.outcome, reply.execution) == (201, "answered", "done")
            assert reply.header("tidegate-upstream") == "other"
        keys = [key for key, _ in bank.asked]
        assert keys[1] == keys[2]
        assert len(bank.executed) == len(set(bank.executed)) == 3
        assert {each.to for each in (*one.asked, *other.asked)} == {place}
        assert {each.peer for each in other.asked} == {"127.0.0.2"}


def test_a_proxy_that_fails_is_not_the_partners_fault(tmp_path: Path) -> None:
    """Ten refusals open no breaker, and the reply names the proxy; nothing was sent."""
    with ForwardProxy() as proxy:
        proxy.user = "us:secret"
        (tmp_path / "password").write_text("wrong")
        ways = {"one": through(proxy, username="us", password="${file:password}")}
        with Sidecar(house(tmp_path, ways, None), tmp_path) as sidecar:
            for number in range(10):
                reply = pay(sidecar, f"k{number}")
                assert (reply.outcome, reply.execution) == ("unsent", "none")
                assert json.loads(reply.body)["reason"] == "proxy_auth"
            assert sidecar.stop() == 0
        lines = sidecar.stdout + sidecar.stderr
        assert "proxy_auth" in lines
        assert "wrong" not in lines


def test_a_source_address_of_another_machine_ends_the_start(tmp_path: Path) -> None:
    """With the place and the remedy, before a payment is taken."""
    ways = {"one": {"source_address": "192.0.2.7"}}
    with pytest.raises(SidecarError, match=r"upstreams\.one\.egress\.source_address"):
        Sidecar(house(tmp_path, ways, None), tmp_path)

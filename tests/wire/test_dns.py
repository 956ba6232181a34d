"""The running sidecar and its name servers: outages, lies, moves, restarts."""

from __future__ import annotations

import json
import time
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import config
from tests.support.client import Client, Reply
from tests.support.dns_answers import EMPTY, NXDOMAIN, SERVFAIL, SILENT, Answer, addresses
from tests.support.dns_server import DnsServer
from tests.support.origin import Origin
from tests.support.sidecar import Sidecar

NAME = "pay.partner.example"
WAIT_S = 15.0


@pytest.fixture
def server() -> Iterator[DnsServer]:
    """A name server that knows the partner, for five seconds at a time."""
    with DnsServer() as running:
        running.set(NAME, "A", addresses("127.0.0.1", ttl_s=1))
        yield running


def document(server: DnsServer, origin: Origin, **over: Any) -> dict[str, Any]:
    """Every call has a connection of its own, so every call needs an address."""
    upstream = config.upstream(origin.port, pool={"reuse": False})
    upstream |= {"url": f"http://{NAME}:{origin.port}", "allow_private": True}
    upstream["allow_cleartext"] = True
    upstream |= over.pop("upstream", {})
    dns = {"nameservers": [server.nameserver], "timeout_query": "200ms", "ttl_min": "1s"}
    dns |= over.pop("dns", {})
    return config.document({"a": upstream}, [config.route("/psp/", ["a"])], dns=dns, **over)


def pay(sidecar: Sidecar) -> Reply:
    """One call."""
    with Client(sidecar.payments) as client:
        return client.call("POST", "/psp/x", b"{}")


def name(sidecar: Sidecar) -> dict[str, Any]:
    """What the sidecar knows of the partner's name."""
    (row,) = json.loads(sidecar.admin_get("/dns"))["names"]
    found: dict[str, Any] = row
    return found


def ready(sidecar: Sidecar) -> bool:
    """What /readyz says."""
    try:
        return sidecar.admin_get("/readyz").startswith("ready")
    except urllib.error.HTTPError:
        return False


def until(what: Callable[[], bool]) -> None:
    """Wait until it holds."""
    give_up_at = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < give_up_at, "it did not come to hold"
        time.sleep(0.02)


@pytest.mark.parametrize(
    "outage", [SILENT, SERVFAIL, NXDOMAIN, EMPTY], ids=["silent", "servfail", "nxdomain", "empty"]
)
def test_payments_go_on_while_name_servers_fail(
    server: DnsServer, tmp_path: Path, outage: Answer
) -> None:
    """At the last known addresses; it is a finding of origin dns, and it ends by itself."""
    with Origin() as origin, Sidecar(document(server, origin), tmp_path) as sidecar:
        assert pay(sidecar).status == 200
        server.everything = outage
        until(lambda: name(sidecar)["state"] == "stale")
        assert [pay(sidecar).status for _ in range(10)] == [200] * 10

        def findings() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = json.loads(sidecar.admin_get("/findings"))["findings"]
            return found

        until(lambda: [each["origin"] for each in findings()] == ["dns"])
        server.everything = None
        until(lambda: name(sidecar)["state"] == "fresh")
        until(lambda: findings() == [])
        assert "tidegate_dns_name_state" in sidecar.admin_get("/metrics")


def test_a_start_in_an_outage_serves_from_the_snapshot(server: DnsServer, tmp_path: Path) -> None:
    """At once; without the snapshot there is a reason within a second."""
    kept = {"snapshot": str(tmp_path / "dns.json")}
    with Origin() as origin:
        with Sidecar(document(server, origin, dns=kept), tmp_path) as sidecar:
            assert pay(sidecar).status == 200
            until((tmp_path / "dns.json").exists)
        server.everything = SILENT
        with Sidecar(document(server, origin, dns=kept), tmp_path) as sidecar:
            assert pay(sidecar).status == 200
            assert name(sidecar)["state"] == "stale"
        with Sidecar(document(server, origin), tmp_path) as sidecar:
            began_at = time.monotonic()
            reply = pay(sidecar)
            took_s = time.monotonic() - began_at
    problem = reply.problem
    assert (problem["origin"], problem["phase"], problem["execution"]) == ("dns", "resolve", "none")
    assert problem["reason"] == "timeout"
    assert took_s < 1.5  # 0.9 s by our clock; the rest is for a machine that is busy


def test_a_partner_that_moves_is_followed(server: DnsServer, tmp_path: Path) -> None:
    """Within the time to live."""
    with Origin() as origin, Sidecar(document(server, origin), tmp_path) as sidecar:
        assert pay(sidecar).status == 200
        server.set(NAME, "A", addresses("127.0.0.2", ttl_s=1))
        until(lambda: name(sidecar)["addresses"] == ["127.0.0.2"])
        assert pay(sidecar).execution == "none"  # nobody listens there


def test_a_name_server_cannot_lead_into_our_own_network(server: DnsServer, tmp_path: Path) -> None:
    """The forbidden address never gets a connection, at the start and after it has worked."""
    with Origin() as origin:
        refusing = document(server, origin, upstream={"allow_private": False})
        with Sidecar(refusing, tmp_path) as sidecar:
            problem = pay(sidecar).problem
            assert (problem["reason"], problem["origin"]) == ("forbidden_address", "dns")
        assert origin.accepted == 0


def test_it_is_ready_once_it_has_asked(server: DnsServer, tmp_path: Path) -> None:
    """Whatever the answer; the payment port is open before."""
    server.everything = SILENT
    with Origin() as origin, Sidecar(document(server, origin), tmp_path) as sidecar:
        until(lambda: ready(sidecar))
        assert server.count(NAME, "A") >= 1

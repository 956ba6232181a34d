"""Who may call, by which names, and what is consumed on the way."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.support import config
from tests.support.client import Client
from tests.support.origin import Origin
from tests.support.peer import always, answer
from tests.wire.conftest import House, Start


@pytest.mark.parametrize("name", ["Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest"])
def test_browsers_are_refused(house: House, name: str) -> None:
    """A page on the same machine can reach the port, but not with a request of its own making."""
    reply = house.call("POST", "/one/x", b"{}", [(name, "same-origin")])
    assert (reply.status, reply.outcome, reply.execution) == (403, "refused", "none")
    assert house.one.accepted == 0


@pytest.mark.parametrize("host", ["evil.test", "localhost.evil.test", "10.0.0.1"])
def test_unknown_hosts_are_refused(house: House, host: str) -> None:
    """421: this is how DNS rebinding shows."""
    reply = house.call("POST", "/one/x", b"{}", host=host)
    assert (reply.status, reply.outcome) == (421, "refused")
    assert house.one.accepted == 0


def test_the_host_of_a_route_is_known_and_decides(house: House) -> None:
    """A route's own host is accepted; its route matches with it and not without."""
    assert house.call("POST", "/hosted/x", host="pay.example.test").status == 200
    assert house.call("POST", "/hosted/x", host="localhost").status == 404


def test_our_headers_are_consumed_and_a_partners_stripped(house: House) -> None:
    """`Tidegate-*` is ours alone, in both directions."""
    lies = [("Tidegate-Outcome", "unsent"), ("Tidegate-Execution", "none"), ("Tidegate-X", "1")]
    house.one.forget(always(answer(200, b"ok", lies)))
    reply = house.call("POST", "/one/x", b"", [("Tidegate-Token", "t"), ("Tidegate-Foo", "f")])
    assert (reply.outcome, reply.execution) == ("answered", "done")
    assert reply.header("tidegate-x") is None
    [received] = house.one.received
    assert not [name for name, _ in received.headers if name.startswith("tidegate")]


def test_a_token_is_asked_for(origin: Origin, start: Start) -> None:
    """Without the configured token nothing passes; with it the call does, without the token."""
    settings = config.document(
        {"one": config.upstream(origin.port)},
        [config.route("/one/", ["one"])],
        listen={"token": "s3cret-token-0123456789"},
    )
    sidecar = start(settings)
    with Client(sidecar.payments) as client:
        assert client.call("POST", "/one/x").status == 401
        assert client.call("POST", "/one/x", b"", [("Tidegate-Token", "wrong")]).status == 401
        good = [("Tidegate-Token", "s3cret-token-0123456789")]
        assert client.call("POST", "/one/x", b"", good).status == 200
    [received] = origin.received
    assert received.header("tidegate-token") is None
    assert "s3cret" not in sidecar.stdout + sidecar.stderr


def test_a_unix_socket_listens_with_its_mode(origin: Origin, start: Start, tmp_path: Path) -> None:
    """The socket has exactly the mode given, carries calls, and is gone after the end."""
    path = tmp_path / "pay.sock"
    settings = config.document(
        {"one": config.upstream(origin.port)},
        [config.route("/one/", ["one"])],
        listen={"address": f"unix:{path}", "unix_mode": "0600"},
    )
    sidecar = start(settings)
    assert sidecar.payments == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with Client(sidecar.payments) as client:
        assert client.call("POST", "/one/x", b"{}").status == 200
    assert sidecar.stop() == 0
    assert not path.exists()

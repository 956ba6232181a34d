"""Orders and operations free of money in the real process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import config
from tests.support.client import Client, Reply
from tests.support.origin import Origin
from tests.support.peer import Peer, always, answer
from tests.support.sidecar import Sidecar

OK = always(answer(200, b'{"id": "t_1"}'))


def cuts(peer: Peer) -> None:
    """A partner that takes the request and closes: nobody knows what it did."""
    peer.read_request()


def ask(sidecar: Sidecar, key: str) -> Reply:
    """A call with a key, on a connection of its own."""
    with Client(sidecar.payments) as client:
        return client.call("POST", "/psp/x", b"{}", [("Idempotency-Key", key)])


@pytest.mark.parametrize("keys", [{}, {"idempotency": {"key": "required"}}])
@pytest.mark.parametrize(
    ("operation", "ends"),
    [("authenticate", ("200", "done", "b")), ("authorize", ("502", "unknown", "a"))],
)
def test_only_what_moves_no_money_moves_on_after_an_unknown(
    tmp_path: Path, operation: str, ends: tuple[str, str, str], keys: config.Document
) -> None:
    """Whether or not the journal knows it by a key; its answer is stored where it came from."""
    with Origin(cuts) as first, Origin(OK) as second:
        upstreams = {"a": config.upstream(first.port), "b": config.upstream(second.port)}
        routes = [config.route("/psp/", ["a", "b"], operation=operation, **keys)]
        document = config.document(upstreams, routes, journal={"path": str(tmp_path / "j.db")})
        with Sidecar(document, tmp_path) as sidecar:
            reply = ask(sidecar, "k1")
            told = (str(reply.status), reply.header("tidegate-execution"),
                    reply.header("tidegate-upstream"))  # fmt: skip
            assert told == ends
            if keys and operation == "authenticate":
                assert ask(sidecar, "k1").header("tidegate-replayed") == "true"
                assert len(second.received) == 1


def test_orders_are_shown_with_their_reasons(tmp_path: Path) -> None:
    """Live with `partners`, by the file with `explain`, for one call in its log line."""
    with Origin(OK) as origin:
        upstreams = {name: config.upstream(origin.port) for name in "ab"}
        routes = [config.route("/psp/", ["a", "b"], order="weighted", weights={"a": 3})]
        with Sidecar(config.document(upstreams, routes), tmp_path) as sidecar:
            ask(sidecar, "k1")
            admin = "http://{}:{}".format(*sidecar.admin)
            command = [sys.executable, "-m", "proxy", "partners", "--admin", admin]
            shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            assert "a is first for 75% of the keys" in shown
            file = str(tmp_path / "tidegate.yaml")
            command = [sys.executable, "-m", "proxy", "explain", "-c", file, "POST", "/psp/x"]
            said = subprocess.run(command, capture_output=True, text=True, check=False)
            assert sidecar.stop() == 0
        assert "is first for" in str(json.loads(sidecar.stdout.splitlines()[0]).get("why"))
        assert "first is a 75%, b 25%" in said.stdout, said.stderr

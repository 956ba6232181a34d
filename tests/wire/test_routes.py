"""What an operator types moves the calls of a running sidecar, at once and over a restart."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from proxy.cli import app
from proxy.cli_route import TOKEN
from tests.support import config
from tests.support.client import Client, Reply
from tests.support.origin import Origin
from tests.support.peer import Peer
from tests.support.prometheus import parse
from tests.support.sidecar import Sidecar

SECRET = "sesame-open-0123456789"
WHY = ("--reason", "their status page", "--by", "ann")
EFFECTIVE_S = 1.0
"""The bar: from the command's end until the last call that goes by what held before it."""


@dataclass
class _House:
    """Two upstreams of one partner that knows requests again, and the file in front of them."""

    a: Origin
    b: Origin
    document: config.Document
    folder: Path

    def sidecar(self) -> Sidecar:
        """One run."""
        return Sidecar(self.document, self.folder)

    def sent(self) -> tuple[int, int]:
        """Requests that the upstreams have got."""
        return len(self.a.received), len(self.b.received)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_House]:
    """With a journal and an admin token."""
    monkeypatch.setenv(TOKEN, SECRET)
    with Origin() as a, Origin() as b:
        upstreams = {name: config.upstream(each.port) for name, each in (("a", a), ("b", b))}
        document = config.document(
            upstreams, [config.route("/psp/", ["a", "b"])],
            journal={"path": str(tmp_path / "j.db")},
            admin={"address": "127.0.0.1:0", "token": SECRET},
        )  # fmt: skip
        document["partners"]["partner"]["idempotency"] = {"header": "Idempotency-Key"}
        yield _House(a, b, document, tmp_path)


def _order(sidecar: Sidecar, *arguments: str) -> Result:
    assert isinstance(sidecar.admin, tuple)
    url = f"http://{sidecar.admin[0]}:{sidecar.admin[1]}"
    done = CliRunner().invoke(app, ["route", *arguments, "--admin", url])
    assert done.exit_code == 0, done.output
    return done


def _listed(sidecar: Sidecar) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_order(sidecar, "list", "--json").stdout)
    return found


def _pay(sidecar: Sidecar, key: str) -> Reply:
    with Client(sidecar.payments) as client:
        return client.call("POST", "/psp/x", b"{}", [("Idempotency-Key", key)])


def _drop(peer: Peer) -> None:
    peer.read_request()
    peer.reset()


@pytest.mark.parametrize(("order", "undo"), [(("force", "psp", "b"), "psp"), (("drain", "a"), "a")])
def test_an_order_is_in_force_within_a_second_under_traffic(
    house: _House, order: tuple[str, ...], undo: str
) -> None:
    """No call fails by it, neither when it is given nor when it is released."""
    seen: list[tuple[float, str | None, str | None]] = []
    stop = threading.Event()

    def traffic(name: str) -> None:
        with Client(sidecar.payments) as client:
            number = 0
            while not stop.is_set():
                number += 1
                begun_at = time.monotonic()
                fields = [("Idempotency-Key", f"{name}-{number}")]
                reply = client.call("POST", "/psp/x", b"{}", fields)
                upstream = reply.header("tidegate-upstream")
                seen.append((begun_at, upstream, reply.header("tidegate-execution")))

    with house.sidecar() as sidecar:
        threads = [threading.Thread(target=traffic, args=(name,)) for name in ("x", "y")]
        for thread in threads:
            thread.start()
        try:
            _until(lambda: len(seen) > 20)
            _order(sidecar, *order, *WHY)
            ordered_at = time.monotonic()
            _until(lambda: seen[-1][0] > ordered_at + EFFECTIVE_S)
            releasing_at = time.monotonic()
            _order(sidecar, "release", undo)
            released_at = time.monotonic()
            _until(lambda: seen[-1][0] > released_at + EFFECTIVE_S)
        finally:
            stop.set()
            for thread in threads:
                thread.join(10.0)
    assert {execution for _, _, execution in seen} == {"done"}
    between = [
        at - ordered_at for at, to, _ in seen if to == "a" and ordered_at < at < releasing_at
    ]
    assert max(between, default=0.0) < EFFECTIVE_S
    assert any(to == "b" for _, to, _ in seen)
    assert seen[-1][1] == "a"


def test_a_drain_stops_new_payments_and_not_the_settling_of_old_ones(house: _House) -> None:
    """A repetition of a call in doubt goes where it was sent, under the same key; what was settled
    is replayed, and only a new call is refused where nothing is left. A kill changes nothing.
    """
    with house.sidecar() as sidecar:
        house.a.forget(_drop)
        assert _pay(sidecar, "doubt-1").header("tidegate-execution") == "unknown"
        assert _pay(sidecar, "doubt-2").header("tidegate-execution") == "unknown"
        (key, _) = [each.header("idempotency-key") for each in house.a.received]
        house.a.forget(None)
        _order(sidecar, "drain", "a", *WHY)
        assert _pay(sidecar, "new").header("tidegate-upstream") == "b"
        repeated = _pay(sidecar, "doubt-1")
        assert (repeated.status, repeated.header("tidegate-upstream")) == (200, "a")
        assert [each.header("idempotency-key") for each in house.a.received] == [key]
        assert "refused" in _order(sidecar, "drain", "b", *WHY).stderr
        sidecar.kill()
    with house.sidecar() as sidecar:
        assert "drain of a is in force" in sidecar.stderr
        assert [each["upstream"] for each in _listed(sidecar)["overrides"]] == ["a", "b"]
        before = house.sent()
        assert _pay(sidecar, "new").header("tidegate-replayed") == "true"
        assert _pay(sidecar, "doubt-1").header("tidegate-replayed") == "true"
        refused = _pay(sidecar, "newer")
        assert house.sent() == before
        assert (refused.status, json.loads(refused.body)["reason"]) == (503, "no_candidate")
        assert refused.header("tidegate-execution") == "none"
        assert _pay(sidecar, "doubt-2").header("tidegate-upstream") == "a"
        _order(sidecar, "release", "b")
        assert _pay(sidecar, "newer").header("tidegate-upstream") == "b"


def test_what_operators_say_is_seen_in_metrics_and_log(house: _House) -> None:
    """With who, why and for how long; a short one ends by itself and is told."""
    with house.sidecar() as sidecar:
        _order(sidecar, "force", "psp", "b", *WHY, "--for", "2h")
        name = "tidegate_route_override"
        found = parse(sidecar.admin_get("/metrics"))
        left_s = found[name].value(name, route="psp", upstream="b", kind="force")
        assert 7190.0 < left_s <= 7200.0
        assert found[f"{name}_kept"].value(f"{name}_kept") == 1
        _order(sidecar, "release", "psp")
        assert sidecar.stop() == 0
        lines = [each for each in sidecar.log_lines() if each["event"] == "route_override"]
    assert [(each["change"], each["by"], each["reason"]) for each in lines] == [
        ("set", "ann", "their status page"), ("released", "ann", "their status page"),
    ]  # fmt: skip
    kept = json.loads((house.folder / "j.db.overrides").read_text())
    assert kept["overrides"] == []


def test_a_damaged_file_stops_no_start_and_is_told(house: _House) -> None:
    """By a note on standard error, in the list and in the metrics."""
    (house.folder / "j.db.overrides").write_text("{")
    with house.sidecar() as sidecar:
        assert "j.db.overrides is damaged" in sidecar.stderr
        assert "damaged" in _listed(sidecar)["trouble"]
        assert "tidegate_route_override_kept 0" in sidecar.admin_get("/metrics")
        assert _pay(sidecar, "k").header("tidegate-upstream") == "a"


def _until(true: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 20.0
    while not true():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)

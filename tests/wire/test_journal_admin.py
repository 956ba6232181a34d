"""What operators and webhooks see of a running sidecar's journal, and what they tell it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from proxy.cli import app
from tests.support import config
from tests.support.client import Client, Reply
from tests.support.origin import Origin
from tests.support.peer import Peer, answer
from tests.support.prometheus import parse
from tests.support.sidecar import Sidecar
from tests.support.values import CARD

TOKEN = "sesame-open-0123456789"
BLOCKED = "tidegate_journal_duplicates_blocked_total"


def document(folder: Path, origin: Origin, **admin: Any) -> config.Document:
    """A sidecar with a journal in front of one upstream."""
    return config.document(
        {"a": config.upstream(origin.port)},
        [config.route("/psp/", ["a"])],
        journal={"path": str(folder / "j.db"), "in_doubt_alarm": "1s"},
        admin={"address": "127.0.0.1:0", **admin},
    )


def pay(sidecar: Sidecar, key: str, body: bytes = b"{}") -> Reply:
    """One payment under a key."""
    with Client(sidecar.payments) as client:
        return client.call("POST", "/psp/x", body, [("Idempotency-Key", key)])


def ask(sidecar: Sidecar, path: str) -> tuple[int, Any]:
    """(status, document) of an admin page."""
    with Client(sidecar.admin) as client:
        reply = client.call("GET", path, None, host="127.0.0.1")
    return reply.status, json.loads(reply.body)


def tell(sidecar: Sidecar, key: str, news: dict[str, Any], token: str = TOKEN) -> tuple[int, Any]:
    """(status, document) after news."""
    fields = [("Content-Type", "application/json"), ("Authorization", f"Bearer {token}")]
    with Client(sidecar.admin) as client:
        body = json.dumps(news).encode()
        reply = client.call("PUT", f"/calls/{key}/result", body, fields, host="127.0.0.1")
    return reply.status, json.loads(reply.body)


def drop(peer: Peer) -> None:
    """Read a request, and answer with a reset."""
    peer.read_request()
    peer.reset()


@pytest.mark.parametrize("execution", ["done", "none"])
def test_a_webhooks_news_ends_a_doubt(tmp_path: Path, execution: str) -> None:
    """Durable when it is confirmed: a kill right after it loses nothing. Then the key is replayed,
    or free.
    """
    news = {"execution": execution, "reason": "event evt_1", "status": 201}
    with Origin(drop) as origin:
        made = document(tmp_path, origin, token=TOKEN)
        with Sidecar(made, tmp_path) as sidecar:
            assert pay(sidecar, "k1").header("tidegate-execution") == "unknown"
            _, found = ask(sidecar, "/calls/k1")
            assert found["calls"][0]["state"] == "in_doubt"
            assert tell(sidecar, "k1", news, "wrong")[0] == 401
            assert tell(sidecar, "k2", news)[0] == 404
            assert tell(sidecar, "k1", news)[0] == 200
            sidecar.kill()
        origin.forget(None)
        with Sidecar(made, tmp_path) as sidecar:
            assert tell(sidecar, "k1", news)[0] == 200, "it may come twice"
            other = {"done": "none", "none": "done"}[execution]
            assert tell(sidecar, "k1", {**news, "execution": other})[0] == 409
            (row,) = ask(sidecar, "/calls/k1")[1]["calls"]
            assert (row["execution"], row["note"]) == (execution, "event evt_1")
            retried = pay(sidecar, "k1")
        if execution == "done":
            assert (retried.status, origin.received) == (409, [])
            assert json.loads(retried.body)["reason"] == "resolved_done"
        else:
            assert (retried.status, len(origin.received)) == (200, 1)


def test_an_operator_resolves_a_call_while_the_sidecar_runs(tmp_path: Path) -> None:
    """By the address that is given; without one, by the configuration's, else in the file."""
    with Origin(drop) as origin:
        made = document(tmp_path, origin)
        made["admin"] = {"address": f"unix:{tmp_path}/admin.sock"}
        with Sidecar(made, tmp_path) as sidecar:
            for key in ("k1", "k2", "k3"):
                pay(sidecar, key)
            ids = {key: ask(sidecar, f"/calls/{key}")[1]["calls"][0]["id"] for key in
                   ("k1", "k2", "k3")}  # fmt: skip
            given = ["--admin", f"unix:{tmp_path}/admin.sock"]
            for key, more in (("k1", given), ("k2", [])):
                _resolve(tmp_path, ids[key], *more)
                (row,) = ask(sidecar, f"/calls/{key}")[1]["calls"]
                assert (row["state"], row["reason"], row["note"]) == (
                    "settled", "resolved", "in their portal",
                )  # fmt: skip
            assert sidecar.stop() == 0
        _resolve(tmp_path, ids["k3"])
        gone = _run(tmp_path, "resolve", ids["k3"], "--done", "--reason", "x", *given)
        assert (gone.exit_code, "no answer from" in gone.stderr) == (1, True)


def _run(folder: Path, command: str, *arguments: str) -> Any:
    file = str(folder / "tidegate.yaml")
    return CliRunner().invoke(app, ["journal", command, "-c", file, *arguments])


def _resolve(folder: Path, row_id: str, *more: str) -> None:
    done = _run(folder, "resolve", row_id, "--done", "--reason", "in their portal", *more)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["state"] == "settled"


def test_duplicates_are_counted_in_metrics_and_in_the_report(tmp_path: Path) -> None:
    """Each that was blocked, by reason; the report knows them after a restart."""
    with Origin() as origin:
        with Sidecar(document(tmp_path, origin), tmp_path) as sidecar:
            pay(sidecar, "k1")
            pay(sidecar, "k2")
            for _ in range(3):
                pay(sidecar, "k1")
            assert pay(sidecar, "k1", b'{"other": 1}').status == 422
            metrics = parse(sidecar.admin_get("/metrics"))
            assert sidecar.stop() == 0
    assert metrics[BLOCKED].value(BLOCKED, reason="replay") == 3
    assert metrics[BLOCKED].value(BLOCKED, reason="key_reused") == 1
    for name, value in (("available", 1), ("owed", 0), ("refused_total", 0)):
        full = f"tidegate_journal_{name}"
        assert metrics[full].value(full) == value
    commits = "tidegate_journal_commit_seconds"
    assert metrics[commits].value(f"{commits}_count") == 4
    (row,) = [json.loads(line) for line in
              _run(tmp_path, "list", "--blocked", "--json").stdout.splitlines()]  # fmt: skip
    assert (row["key"], row["blocked"]) == ("k1", 4)
    assert row["blocked_at"] >= row["changed_at"]
    exported = _run(tmp_path, "export").stdout.splitlines()
    assert [json.loads(line)["blocked"] for line in exported] == [4, 0]


def test_an_old_doubt_is_a_finding_and_has_an_age(tmp_path: Path) -> None:
    """Until it is settled. It is found at the next look, which the start is one of."""
    with Origin(drop) as origin:
        made = document(tmp_path, origin)
        with Sidecar(made, tmp_path) as sidecar:
            pay(sidecar, "k1")
            sent = time.monotonic()
            assert sidecar.stop() == 0
        while time.monotonic() - sent < 1.05:
            time.sleep(0.01)
        with Sidecar(made, tmp_path) as sidecar:
            ends_at = time.monotonic() + 10.0
            while not (found := ask(sidecar, "/findings")[1]["findings"]):
                assert time.monotonic() < ends_at
                time.sleep(0.02)
            assert (found[0]["reason"], found[0]["upstream"], found[0]["count"]) == (
                "in_doubt_old", "a", 1,
            )  # fmt: skip
            metrics = parse(sidecar.admin_get("/metrics"))
    name = "tidegate_journal_in_doubt_oldest_seconds"
    assert metrics[name].value(name, partner="partner", operation="authorize") > 1.0
    assert metrics["tidegate_journal_rows"].value("tidegate_journal_rows", state="in_doubt") == 1


def test_a_cards_secrets_in_an_answer_reach_the_caller_and_nothing_else(tmp_path: Path) -> None:
    """The replay is the same but for them; resealing leaves it so."""
    body = b'{"id": 1, "card": {"cvv": "737", "pan": "' + CARD.encode() + b'"}, "ok": true}'

    def tell_all(peer: Peer) -> None:
        peer.read_request()
        peer.send(answer(201, body, reason="Created"))

    with Origin(tell_all) as origin:
        made = document(tmp_path, origin)
        with Sidecar(made, tmp_path) as sidecar:
            assert pay(sidecar, "k1").body == body
            assert sidecar.stop() == 0
        made["journal"]["sealing_keys"] = [{"id": "new", "key": "ab" * 32}]
        config.write(tmp_path, made)
        again = _run(tmp_path, "reseal")
        assert (again.exit_code, "1 answers sealed anew" in again.stderr) == (0, True), again.output
        with Sidecar(made, tmp_path) as sidecar:
            replay = pay(sidecar, "k1")
            assert replay.header("tidegate-replayed") == "true"
            assert replay.body == body.replace(b'"cvv": "737", ', b"")
            assert _run(tmp_path, "reseal").exit_code == 1, "a journal at work is left alone"

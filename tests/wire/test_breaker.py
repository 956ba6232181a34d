"""A partner that refuses connections costs a running sidecar's callers a few attempts, not more."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from proxy.cli import app
from tests.support import config
from tests.support.client import Client, Reply
from tests.support.origin import Origin
from tests.support.prometheus import parse
from tests.support.sidecar import Sidecar
from tests.wire.conftest import dead_port

FOUND_S = 15.0
"""Generous: five refusals over more than two seconds are what it takes."""


def _pay(sidecar: Sidecar, path: str) -> Reply:
    with Client(sidecar.payments) as client:
        return client.call("POST", path, b"{}")


def _breaker(sidecar: Sidecar, upstream: str) -> dict[str, Any]:
    rows = json.loads(sidecar.admin_get("/load"))["breakers"]
    [found] = [row for row in rows if row["upstream"] == upstream]
    assert isinstance(found, dict)
    return found


def _open(sidecar: Sidecar) -> None:
    give_up_at = time.monotonic() + FOUND_S
    while _breaker(sidecar, "dead")["state"] != "open":
        assert time.monotonic() < give_up_at
        assert _pay(sidecar, "/psp/x").status == 200
        time.sleep(0.1)


def test_after_some_refusals_calls_go_to_the_next_candidate_at_once(tmp_path: Path) -> None:
    """Operators see it in the table, in the metrics and in the log."""
    with Origin() as origin, dead_port() as dead:
        at = {"dead": config.upstream(dead, breaker={"open": "1m"}),
              "live": config.upstream(origin.port)}  # fmt: skip
        document = config.document(at, [config.route("/psp/", ["dead", "live"])])
        with Sidecar(document, tmp_path) as sidecar:
            assert _pay(sidecar, "/psp/x").header("tidegate-attempts") == "2"
            _open(sidecar)
            replies = [_pay(sidecar, "/psp/x") for _ in range(5)]
            assert isinstance(sidecar.admin, tuple)
            url = f"http://{sidecar.admin[0]}:{sidecar.admin[1]}"
            table = CliRunner().invoke(app, ["partners", "--admin", url])
            served = CliRunner().invoke(app, ["partners", "--json", "--admin", url])
            metrics = parse(sidecar.admin_get("/metrics"))
            assert sidecar.stop() == 0
            lines = [each for each in sidecar.log_lines() if each["event"] == "breaker"]
    assert {reply.header("tidegate-attempts") for reply in replies} == {"1"}
    assert {reply.header("tidegate-upstream") for reply in replies} == {"live"}
    [row] = [line for line in table.stdout.splitlines() if " authorize " in line][:1]
    assert " dead " in row
    assert " open " in row
    assert json.loads(served.stdout)[0]["state"] == "open"
    where = {"upstream": "dead", "compartment": "authorize"}
    name = "tidegate_breaker_state"
    assert metrics[name].value(name, state="open", **where) == 1
    name = "tidegate_breaker_changes_total"
    assert metrics[name].value(name, to="open", **where) == 1
    assert [(line["was"], line["state"]) for line in lines] == [("closed", "open")]
    assert lines[0]["failures"] >= 5


def test_the_only_candidate_is_still_tried(tmp_path: Path) -> None:
    """Some calls are refused at once, with the reason; and never all of them."""
    with dead_port() as dead:
        routes = [config.route("/psp/", ["dead"], retry={"attempts_max": 1})]
        document = config.document({"dead": config.upstream(dead)}, routes)
        with Sidecar(document, tmp_path) as sidecar:
            give_up_at = time.monotonic() + FOUND_S
            while _breaker(sidecar, "dead")["state"] != "open":
                assert time.monotonic() < give_up_at
                assert _pay(sidecar, "/psp/x").header("tidegate-outcome") == "unsent"
                time.sleep(0.1)
            replies = [_pay(sidecar, "/psp/x") for _ in range(60)]
    outcomes = [reply.header("tidegate-outcome") for reply in replies]
    assert outcomes.count("unsent") >= 12
    refused = [reply for reply in replies if reply.header("tidegate-outcome") == "refused"]
    assert {(reply.status, reply.execution) for reply in refused} == {(503, "none")}
    assert {reply.problem["reason"] for reply in refused} <= {"breaker_throttled"}

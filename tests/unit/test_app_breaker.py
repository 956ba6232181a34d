"""`proxy.app`: breakers with the real stack, the real journal and real sockets."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.guard.circuit import Circuit
from tests.support import config
from tests.support.house import Running, running_sidecar
from tests.support.origin import Origin
from tests.support.peer import OK, GoneError, Peer

KEYED = [("Idempotency-Key", "k1")]


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A partner that answers 200 `ok`."""
    with Origin() as running:
        yield running


def house(folder: Path, origin: Origin, operation: str, *candidates: str) -> Any:
    """One partner that knows requests again, with the upstreams `first` and `second`."""
    at = {name: config.upstream(origin.port) for name in ("first", "second")}
    own = {"header": "Idempotency-Key"}
    route = config.route("/psp/", candidates, operation=operation, deadline="300ms",
                         retry={"attempts_max": 1})  # fmt: skip
    return running_sidecar(
        folder, origin, partners={"partner": {"upstreams": at, "idempotency": own}},
        routes=[route], journal={"path": str(folder / "j.db")},
    )  # fmt: skip


def circuit(running: Running, operation: str) -> Circuit:
    """That of `first`."""
    return running.sidecar._guards.of("first", operation)


def isolate(running: Running, operation: str) -> Circuit:
    """Shut that of `first`."""
    found, now = circuit(running, operation), running.sidecar._clock.now()
    found.isolate("maintenance", now + 60.0, now)
    return found


async def test_a_keyed_call_that_is_refused_leaves_its_key_free(
    tmp_path: Path, origin: Origin
) -> None:
    """Its fence went with its claim, and nothing was sent: the same key runs later, once."""
    async with house(tmp_path, origin, "authorize", "first") as running:
        shut = isolate(running, "authorize")
        refused = await running.ask("POST", "/psp/x", b"{}", KEYED)
        assert origin.received == []
        shut.release("repaired", running.sidecar._clock.now())
        for _ in range(5):
            done = await running.ask("POST", "/psp/x", b"{}", KEYED)
            if done.status == 200:
                break
        again = await running.ask("POST", "/psp/x", b"{}", KEYED)
    assert (refused.status, refused.execution) == (503, "none")
    assert refused.problem["reason"] == "breaker_isolated"
    assert (done.status, done.header("tidegate-replayed")) == (200, None)
    assert again.header("tidegate-replayed") == "true"
    assert len(origin.received) == 1


@pytest.mark.parametrize(("operation", "attempts"), [("authorize", "1"), ("capture", "1")])
async def test_a_keyed_call_goes_to_the_next_candidate_and_is_fenced_there(
    tmp_path: Path, origin: Origin, operation: str, attempts: str
) -> None:
    """With its claim where the order was changed, anew where it was not (capture)."""
    async with house(tmp_path, origin, operation, "first", "second") as running:
        isolate(running, operation)
        moved = await running.ask("POST", "/psp/x", b"{}", KEYED)
        again = await running.ask("POST", "/psp/x", b"{}", KEYED)
    assert (moved.status, moved.header("tidegate-upstream")) == (200, "second")
    assert moved.header("tidegate-attempts") == attempts
    assert again.header("tidegate-replayed") == "true"
    assert again.header("tidegate-upstream") == "second"
    assert len(origin.received) == 1


async def test_a_repetition_that_is_refused_leaves_the_doubt_as_it_was(
    tmp_path: Path, origin: Origin
) -> None:
    """It goes nowhere else, and when it may go it is settled under the key of the first sending."""

    def drop(peer: Peer) -> None:
        peer.read_request()
        peer.reset()

    async with house(tmp_path, origin, "authorize", "first", "second") as running:
        origin.forget(drop)
        assert (await running.ask("POST", "/psp/x", b"{}", KEYED)).execution == "unknown"
        [sent] = [each.header("idempotency-key") for each in origin.received]
        before = (await running.page("/calls/k1")).body
        shut = isolate(running, "authorize")
        refused = await running.ask("POST", "/psp/x", b"{}", KEYED)
        now = json.loads((await running.page("/calls/k1")).body)
        assert (refused.status, refused.execution) == (409, "unknown")
        assert refused.problem["reason"] == "in_doubt"
        assert len(origin.received) == 1
        origin.forget(None)
        shut.release("repaired", running.sidecar._clock.now())
        for _ in range(5):
            done = await running.ask("POST", "/psp/x", b"{}", KEYED)
            if done.status == 200:
                break
    kept = ("state", "attempts", "upstream", "reason", "doubts")
    was = json.loads(before)
    assert [each.get(key) for each in _rows(now) for key in kept] == [
        each.get(key) for each in _rows(was) for key in kept
    ]
    assert (done.execution, done.header("tidegate-upstream")) == ("done", "first")
    assert {each.header("idempotency-key") for each in origin.received} == {sent}


def _rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    rows = found["calls"]
    assert [row["state"] for row in rows] == ["in_doubt"]
    return list(rows)


async def test_an_answer_that_comes_late_changes_no_circuit(tmp_path: Path, origin: Origin) -> None:
    """The attempt was a failure when its caller's time was over, and is counted once."""

    def late(peer: Peer) -> None:
        try:
            peer.read_request()
            time.sleep(0.6)
            peer.send(OK)
        except GoneError:
            return

    async with house(tmp_path, origin, "authorize", "first") as running:
        origin.forget(late)
        assert (await running.ask("POST", "/psp/x", b"{}")).execution == "unknown"
        told = circuit(running, "authorize")
        assert told.tally(running.sidecar._clock.now()) == (1, 1)
        metrics = b""
        while b"tidegate_late_endings_total 1" not in metrics:
            metrics = (await running.page("/metrics")).body
        assert told.tally(running.sidecar._clock.now()) == (1, 1)


async def test_metrics_leave_out_narrow_breakers_that_were_never_in_trouble(
    tmp_path: Path, origin: Origin
) -> None:
    """There may be hundreds, fourteen series each; the page `/load` has them all."""
    route = config.route("/psp/", ["processor"], operation="authorize",
                         dimensions=[{"name": "scheme", "header": "X-Scheme"}])  # fmt: skip
    async with running_sidecar(tmp_path, origin, routes=[route]) as running:
        for scheme in ("visa", "elo"):
            await running.ask("POST", "/psp/x", b"{}", [("X-Scheme", scheme)])
        metrics = (await running.page("/metrics")).body.decode()
        load = json.loads((await running.page("/load")).body)
    assert 'part="' not in metrics
    assert [row["part"] for row in load["breakers"]] == ["", "scheme=visa", "scheme=elo"]

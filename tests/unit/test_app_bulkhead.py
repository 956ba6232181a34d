"""`proxy.app`: places, priorities and best effort, with the real stack and the real journal."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import config
from tests.support.client import Reply
from tests.support.house import Running, running_sidecar
from tests.support.origin import Origin
from tests.support.peer import GoneError, Peer, answer
from tests.support.prometheus import parse

HELD_S = 10.0
KEYED = [("Idempotency-Key", "k1")]
ONE_PLACE = {"at_work_max": 1, "waiting_max": 0}


class Gate:
    """A partner that holds calls to /hold until it is opened, and answers others at once."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.origin = Origin(self.script)

    def script(self, peer: Peer) -> None:
        """Calls of one connection, one after the other."""
        while True:
            try:
                received = peer.read_request()
            except GoneError:
                return
            if received.target.endswith("/hold"):
                self.opened.wait(HELD_S)
            peer.send(answer(200, b"ok"))

    def got(self) -> list[str]:
        """The targets of what it received."""
        return [received.target for received in self.origin.received]


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A partner of the test's own."""
    made = Gate()
    with made.origin:
        yield made
        made.opened.set()


def routes(*candidates: str) -> list[config.Document]:
    """Charges and refunds of the same candidates, and best effort beside them."""
    return [
        config.route("/psp/", candidates, name="charges", retry={"attempts_max": 1}),
        config.route("/refund/", candidates[:1], operation="refund"),
    ]


def track(**over: Any) -> config.Document:
    """A best-effort route of its own upstream; authenticate moves no money."""
    return config.route("/track/", ["tracker"], operation="authenticate", best_effort=over)


def house(folder: Path, gate: Gate, **over: Any) -> Any:
    """Upstreams `processor` with one place, `other` and `tracker`, all of them the gate."""
    at = {name: config.upstream(gate.origin.port) for name in ("processor", "other", "tracker")}
    at["processor"]["bulkhead"] = ONE_PLACE
    partners = {"partner": {"upstreams": at}}
    return running_sidecar(folder, gate.origin, partners=partners, **over)


async def holding(running: Running, gate: Gate, path: str) -> asyncio.Task[Reply]:
    """A call that the partner has, and does not answer yet."""
    task = asyncio.create_task(running.ask("POST", f"{path}hold", b"{}"))
    while f"{path}hold" not in gate.got():
        await asyncio.sleep(0.005)
    return task


async def load(running: Running) -> dict[str, Any]:
    """The page about load."""
    found = json.loads((await running.page("/load")).body)
    assert isinstance(found, dict)
    return found


async def test_a_full_operation_refuses_its_own_calls_and_no_others(
    tmp_path: Path, gate: Gate
) -> None:
    """With the figures; a refund at the same upstream passes. All is told to operators."""
    async with house(tmp_path, gate, routes=[*routes("processor"), track()]) as running:
        held = await holding(running, gate, "/psp/")
        refused = await running.ask("POST", "/psp/x", b"{}")
        passed = await running.ask("POST", "/refund/x", b"{}")
        told = await load(running)
        metrics = parse((await running.page("/metrics")).body.decode())
        gate.opened.set()
        assert (await held).status == 200
        assert (await running.ask("POST", "/psp/x", b"{}")).status == 200
    assert (refused.status, refused.outcome, refused.execution) == (503, "refused", "none")
    assert refused.problem["reason"] == "bulkhead_full"
    assert passed.status == 200
    charges = next(row for row in told["bulkheads"] if row["compartment"] == "authorize")
    assert (charges["at_work"], charges["limit"], charges["refused"]["bulkhead_full"]) == (1, 1, 1)
    assert told["admission"]["priorities"][0]["in_flight"] == 1
    name = "tidegate_bulkhead_refused_total"
    labels = {"upstream": "processor", "compartment": "authorize", "reason": "bulkhead_full"}
    assert metrics[name].value(name, **labels) == 1


async def test_a_key_whose_call_found_no_place_is_free_again(tmp_path: Path, gate: Gate) -> None:
    """Its fence went with its claim; nothing was sent, so the same key runs later."""
    journal = {"path": str(tmp_path / "j.db")}
    async with house(tmp_path, gate, routes=routes("processor"), journal=journal) as running:
        held = await holding(running, gate, "/psp/")
        refused = await running.ask("POST", "/psp/x", b"{}", KEYED)
        gate.opened.set()
        await held
        done = await running.ask("POST", "/psp/x", b"{}", KEYED)
        again = await running.ask("POST", "/psp/x", b"{}", KEYED)
    assert (refused.status, refused.execution) == (503, "none")
    assert (done.status, done.execution, done.header("tidegate-replayed")) == (200, "done", None)
    assert again.header("tidegate-replayed") == "true"
    assert gate.got() == ["/psp/hold", "/psp/x"]


async def test_a_keyed_call_without_a_place_goes_to_the_next_candidate(
    tmp_path: Path, gate: Gate
) -> None:
    """It is fenced anew there, and its answer is the one that is remembered."""
    journal = {"path": str(tmp_path / "j.db")}
    at = routes("processor", "other")
    async with house(tmp_path, gate, routes=at, journal=journal) as running:
        held = await holding(running, gate, "/psp/")
        moved = await running.ask("POST", "/psp/x", b"{}", KEYED)
        again = await running.ask("POST", "/psp/x", b"{}", KEYED)
        gate.opened.set()
        await held
    assert (moved.status, moved.header("tidegate-upstream")) == (200, "other")
    assert again.header("tidegate-replayed") == "true"
    assert again.header("tidegate-upstream") == "other"


async def test_a_third_party_that_hangs_costs_its_budget_and_no_journal(
    tmp_path: Path, gate: Gate
) -> None:
    """The reply stands in, and a key that the application sends all the same means nothing."""
    journal = {"path": str(tmp_path / "j.db")}
    reply = {"status": 202, "headers": {"X-Ours": "1"}, "body": "queued"}
    at = [*routes("processor"), track(reply=reply, budget="300ms")]
    async with house(tmp_path, gate, routes=at, journal=journal) as running:
        hung = await running.ask("POST", "/track/hold", b"{}", KEYED)
        told = await load(running)
        paid = await running.ask("POST", "/psp/x", b"{}", KEYED)
        gate.opened.set()
    assert (hung.status, hung.body, hung.header("x-ours")) == (202, b"queued", "1")
    assert (hung.outcome, hung.execution) == ("substituted", "unknown")
    assert hung.header("tidegate-reason") == "deadline"
    assert (paid.status, paid.header("tidegate-replayed")) == (200, None)
    own = next(row for row in told["bulkheads"] if row["compartment"] == "best_effort/track")
    assert own["at_work"] == 0


async def test_calls_behind_their_replies_are_made_bounded_and_drained(
    tmp_path: Path, gate: Gate
) -> None:
    """The second finds no room and is shed; the first ends with the drain."""
    at = [*routes("processor"), track(wait=False, at_work_max=1)]
    async with house(tmp_path, gate, routes=at) as running:
        first = await holding(running, gate, "/track/")
        second = await running.ask("POST", "/track/x", b"{}")
        told = await load(running)
        gate.opened.set()
    replies = [await first, second]
    assert [reply.status for reply in replies] == [204, 204]
    reasons = [reply.header("tidegate-reason") for reply in replies]
    assert reasons == ["in_background", "background_full"]
    assert [reply.execution for reply in replies] == ["unknown", "none"]
    [behind] = told["background"]
    assert (behind["route"], behind["at_work"], behind["refused"]) == ("track", 1, 1)
    assert gate.got() == ["/track/hold"]

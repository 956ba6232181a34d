"""`proxy.app_probes`: an operator's isolation, active checks and the standby, with real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from proxy.cli_partners import partners_text
from proxy.guard.permit import State
from proxy.model.standing import Kind, Why
from tests.support import config
from tests.support.house import running_sidecar
from tests.support.origin import Origin
from tests.support.peer import Peer


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A partner that answers 200 `ok`."""
    with Origin() as running:
        yield running


@contextmanager
def dead_port() -> Iterator[int]:
    """A port that refuses, held as long as it is used."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def house(folder: Path, origin: Origin, **over: Any) -> Any:
    """One partner, one route, the upstreams `first` and `second`."""
    at = {name: config.upstream(origin.port) for name in ("first", "second")}
    route = config.route("/psp/", ("first", "second"), operation="authorize")
    return running_sidecar(
        folder, origin, partners={"partner": {"upstreams": at}}, routes=[route], **over
    )


async def test_an_isolated_upstream_gets_nothing_until_it_is_released(
    tmp_path: Path, origin: Origin
) -> None:
    """At once, also as the last way out, and the metrics say so."""
    async with house(tmp_path, origin) as running:
        orders = running.sidecar._orders
        await orders.isolate("first", Why("bad answers", "ann", 60.0))
        moved = await running.ask("POST", "/psp/x")
        await orders.isolate("second", Why("bad answers", "ann", 60.0))
        refused = await running.ask("POST", "/psp/x")
        metrics = (await running.page("/metrics")).body.decode()
        await orders.release(Kind.ISOLATE, "first")
        back = [await running.ask("POST", "/psp/x") for _ in range(5)]
    assert moved.header("tidegate-upstream") == "second"
    assert (refused.status, json.loads(refused.body)["reason"]) == (503, "breaker_isolated")
    assert 'tidegate_route_override{route="",upstream="first",kind="isolate"}' in metrics
    assert 'compartment="authorize",state="isolated"} 1' in metrics
    assert any(each.header("tidegate-upstream") == "first" for each in back)


FAST = {"interval": "1s", "timeout": "200ms", "fall": 1, "rise": 1}


def pair(folder: Path, origin: Origin, first: int, checks: dict[str, Any], **over: Any) -> Any:
    """The upstream `first` at that port, and `second` at the origin's."""
    at = {
        "first": config.upstream(first, checks=checks, **over),
        "second": config.upstream(origin.port, checks={"kind": "off"}),
    }
    route = config.route("/psp/", ("first", "second"), operation="authorize")
    return running_sidecar(folder, origin, partners={"partner": {"upstreams": at}}, routes=[route])


async def until(condition: Callable[[], bool]) -> None:
    """Wait, bounded, for what the sidecar does beside the calls."""
    async with asyncio.timeout(10.0):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_dead_upstream_is_found_without_a_call(tmp_path: Path, origin: Origin) -> None:
    """And the first call already goes elsewhere, with one attempt."""
    with dead_port() as dead:
        async with pair(tmp_path, origin, dead, FAST) as running:
            checker = running.sidecar._checker
            await until(lambda: any(row["failing"] for row in checker.report()))
            moved = await running.ask("POST", "/psp/x")
            running.sidecar._tend()
            findings = json.loads((await running.page("/findings")).body)["findings"]
            metrics = (await running.page("/metrics")).body.decode()
            load = json.loads((await running.page("/load")).body)
    assert moved.header("tidegate-upstream") == "second"
    assert "connect refused" in partners_text(load), "the page has what the command shows"
    assert moved.header("tidegate-attempts") == "1"
    [found] = findings
    assert (found["upstream"], found["phase"], found["reason"]) == (
        "first", "check connect", "refused",
    )  # fmt: skip
    assert 'tidegate_check_failing{upstream="first"} 1' in metrics
    assert "tidegate_attempts_total{" in metrics
    assert 'upstream="first",operation' not in metrics, "a check is no call"


async def test_a_check_that_asks_goes_the_way_of_a_call(tmp_path: Path, origin: Origin) -> None:
    """With the configured headers, below the url; its answer is proof, and it is in no metric."""
    asked = {"kind": "request", "request": {"method": "GET", "target": "/up?x=1"}, **FAST}
    headers = {"set": {"Authorization": "Bearer sesame"}}
    with Origin() as first:
        async with pair(tmp_path, origin, first.port, asked, headers=headers) as running:
            row = running.sidecar._checker.report()[0]
            await until(lambda: running.sidecar._checker.report()[0]["proven_by"] == "check")
            metrics = (await running.page("/metrics")).body.decode()
        [received, *_] = first.received
    assert row["kind"] == "request"
    assert (received.method, received.target) == ("GET", "/up?x=1")
    assert received.header("authorization") == "Bearer sesame"
    assert 'operation="inquire"' not in metrics


async def test_a_payment_is_not_the_probe_where_a_check_fails(
    tmp_path: Path, origin: Origin
) -> None:
    """The breaker opens anew without one more attempt there, and lets calls in after one passes."""
    breaker = {"open": "100ms", "open_max": "200ms"}
    checks = {"kind": "connect", "interval": "1h", "timeout": "200ms", "proven_within": "24h"}
    with dead_port() as dead:
        async with pair(tmp_path, origin, dead, checks, breaker=breaker) as running:
            circuit = running.sidecar._guards.of("first", "authorize")
            async with asyncio.timeout(10.0):
                while circuit.state is not State.OPEN:
                    await running.ask("POST", "/psp/x")
                    await asyncio.sleep(0.1)
            failed = running.sidecar._checker.report()[0]["checks"]["failed"]
            await until(
                lambda: running.sidecar._checker.report()[0]["checks"]["failed"] >= failed + 2
            )
            said = circuit.standing(running.sidecar._clock.now())
            replies = [await running.ask("POST", "/psp/x") for _ in range(5)]
    assert "a check failed: connect refused" in said.why
    assert {each.header("tidegate-attempts") for each in replies} == {"1"}
    assert {each.header("tidegate-upstream") for each in replies} == {"second"}


async def test_a_standby_gets_its_share_of_payments(tmp_path: Path, origin: Origin) -> None:
    """Every fifth here; the metrics say how many."""
    at = {name: config.upstream(origin.port) for name in ("first", "second")}
    route = config.route(
        "/psp/", ("first", "second"), operation="authorize", standby={"share": 0.2}
    )
    async with running_sidecar(
        tmp_path, origin, partners={"partner": {"upstreams": at}}, routes=[route]
    ) as running:
        replies = [await running.ask("POST", "/psp/x") for _ in range(20)]
        running.sidecar._sink.flush()
        row = running.sidecar._checker.report()[1]
        metrics = (await running.page("/metrics")).body.decode()
    went = [each.header("tidegate-upstream") for each in replies]
    assert (went.count("first"), went.count("second")) == (16, 4)
    assert (row["upstream"], row["proven_by"]) == ("second", "call")
    assert f'tidegate_standby_calls_total{{route="{route["name"]}"}} 4' in metrics


async def test_a_repetition_is_no_call_for_the_standby(tmp_path: Path, origin: Origin) -> None:
    """It goes where its first sending went, whatever the share says; the money is there."""

    def drop(peer: Peer) -> None:
        peer.read_request()
        peer.reset()

    at = {name: config.upstream(origin.port) for name in ("first", "second")}
    own = {"header": "Idempotency-Key"}
    route = config.route(
        "/psp/", ("first", "second"), operation="authorize", standby={"share": 0.2}
    )
    async with running_sidecar(
        tmp_path, origin, partners={"partner": {"upstreams": at, "idempotency": own}},
        routes=[route], journal={"path": str(tmp_path / "j.db")},
    ) as running:  # fmt: skip
        origin.forget(drop)
        keys = [f"k{number}" for number in range(4)]
        doubts = [
            await running.ask("POST", "/psp/x", b"{}", [("Idempotency-Key", key)]) for key in keys
        ]
        origin.forget(None)
        again = [
            await running.ask("POST", "/psp/x", b"{}", [("Idempotency-Key", key)])
            for key in keys * 3
        ]
    assert {each.execution for each in doubts} == {"unknown"}
    assert {each.header("tidegate-upstream") for each in again} == {"first"}
    assert {each.status for each in again} == {200}

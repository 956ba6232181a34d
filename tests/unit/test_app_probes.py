"""`proxy.app_probes`: an operator's isolation, active checks and the standby, with real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.model.standing import Kind, Why
from tests.support import config
from tests.support.house import running_sidecar
from tests.support.origin import Origin


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A partner that answers 200 `ok`."""
    with Origin() as running:
        yield running


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

"""`proxy.app_health`: with the real stack and real sockets, a partner that refuses is named."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.app_health import slow_limit
from proxy.guard.guards import Guards
from tests.support import config
from tests.support.house import Running, running_sidecar
from tests.support.origin import Origin
from tests.support.values import CARD, candidate, route


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A partner that answers 200 `ok`."""
    with Origin() as running:
        yield running


async def _page(running: Running, path: str) -> Any:
    return json.loads((await running.page(path)).body)


def _two(origin: Origin, folder: Path) -> dict[str, Any]:
    upstreams = {"gone": config.upstream(1), "well": config.upstream(origin.port)}
    return {
        "partners": {name: {"upstreams": {name: at}} for name, at in upstreams.items()},
        "routes": [config.route(f"/{name}/", [name], name=name) for name in upstreams],
        "journal": {"path": str(folder / "j.db")},
    }


async def _fail(running: Running) -> None:
    """A card number in it, and calls to the other one beside."""
    for _ in range(12):
        await running.ask("POST", f"/gone/{CARD}", CARD.encode())
        await running.ask("POST", "/well/x", b"{}")
        await asyncio.sleep(0.45)


async def test_a_partner_that_refuses_is_named_counted_logged_and_kept(
    tmp_path: Path, origin: Origin, capfd: pytest.CaptureFixture[str]
) -> None:
    """On every page, as a metric, in the log and in the file, and no card number anywhere."""
    async with running_sidecar(tmp_path, origin, **_two(origin, tmp_path)) as running:
        await _fail(running)
        (verdict,) = (await _page(running, "/verdicts"))["verdicts"]
        assert (verdict["partner"], verdict["phase"], verdict["origin"]) == (
            "gone", "connect", "partner",
        )  # fmt: skip
        (row,) = (await _page(running, "/incidents"))["incidents"]
        assert (await running.page(f"/incidents/{row['id']}.md")).status == 200
        overview = await _page(running, "/overview")
        assert {each["partner"]: each["state"] for each in overview["partners"]} == {
            "gone": "degraded",
            "well": "ok",
        }
        metrics = (await running.page("/metrics")).body.decode()
        assert 'tidegate_degraded{partner="gone",upstream="gone",slice="gone",' in metrics
        assert "tidegate_incidents_open 1" in metrics
    kept = (tmp_path / "j.db.incidents").read_text()
    logged = capfd.readouterr().out
    assert row["id"] in kept
    assert '"event": "incident"' in logged
    for text in (kept, json.dumps(overview), metrics, logged):
        assert CARD not in text


def test_what_is_slow_is_the_guards_to_say_and_without_a_breaker_the_default() -> None:
    """There is one idea of slow."""
    made = candidate("a")
    guards = Guards([route(made)], lambda: 0.0, lambda _: None)
    limit = slow_limit(guards)
    assert limit("a", "authorize") == guards.of("a", "authorize").slow_s
    assert limit("none", "authorize") == 10.0

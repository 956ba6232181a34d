"""`proxy.app_dashboard`: what the page is told, with the real stack and real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import config
from tests.support.house import Running, running_sidecar
from tests.support.origin import Origin
from tests.support.values import CARD

_SECRET = "a-credential-that-nobody-may-see-0815"


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A partner that answers 200 `ok`."""
    with Origin() as running:
        yield running


async def _page(running: Running, path: str) -> Any:
    return json.loads((await running.page(path)).body)


def _two(origin: Origin, folder: Path, **over: Any) -> dict[str, Any]:
    headers = {"set": {"Authorization": _SECRET}}
    upstreams = {"gone": config.upstream(1),
                 "well": config.upstream(origin.port, headers=headers)}  # fmt: skip
    return {
        "partners": {name: {"upstreams": {name: at}} for name, at in upstreams.items()},
        "routes": [
            config.route(f"/{name}/", ways, name=name)
            for name, ways in {"gone": ["gone", "well"], "well": ["well"]}.items()
        ],
        "journal": {"path": str(folder / "j.db")},
        **over,
    }


async def test_a_partner_is_told_from_close_by(tmp_path: Path, origin: Origin) -> None:
    """Latency by phase, name, proof, and what its breaker did; no card number, no credential."""
    async with running_sidecar(tmp_path, origin, **_two(origin, tmp_path)) as running:
        for _ in range(10):
            await running.ask("POST", f"/gone/{CARD}", CARD.encode())
            await running.ask("POST", "/well/x", b"{}")
            await asyncio.sleep(0.3)
        well, gone = await _page(running, "/partners/well"), await _page(running, "/partners/gone")
        assert (await running.page("/partners/none")).status == 404
        shown = await _page(running, "/config")
        doubts = await _page(running, "/doubts")
    (upstream,) = well["upstreams"]
    assert {row["phase"] for row in upstream["phases"]} >= {"queue", "send", "first_byte", "body"}
    assert upstream["dns"]["state"] == "pinned"
    assert upstream["proof"]["proven_by"] == "call"
    assert gone["upstreams"][0]["phases"][-1]["phase"] in ("connect", "resolve")
    assert [row["state"] for row in gone["history"] if row["what"] == "breaker"][-1:] == ["open"]
    assert {"path": "routes[0].deadline", "value": "10s", "set": True} in shown["settings"]
    assert (shown["overrides"], doubts["calls"]) == ([], [])
    text = json.dumps([well, gone, shown, doubts])
    assert CARD not in text
    assert _SECRET not in text


async def test_without_a_journal_nothing_is_in_doubt(tmp_path: Path, origin: Origin) -> None:
    """And the page can say why."""
    asked = _two(origin, tmp_path, journal=None)
    del asked["journal"]
    async with running_sidecar(tmp_path, origin, **asked) as running:
        assert (await _page(running, "/doubts")) == {"schema": 1, "calls": [], "journal": False}

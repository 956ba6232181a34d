"""`proxy.admin.dashboard`: its files, its stream and its documents, behind the listener's guard."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer

from proxy.admin.api import Reports, application
from proxy.admin.dashboard import files, pages
from proxy.admin.live import VIEWERS_MAX, Piece


class _Desk:
    """One partner, acme."""

    def pieces(self) -> Iterator[Piece]:
        yield "about", "", {"version": "1"}
        yield "rows", "a", {"upstream": "a"}

    def partner(self, name: str) -> dict[str, Any] | None:
        return {"schema": 1, "partner": name} if name == "acme" else None

    def config(self) -> dict[str, Any]:
        return {"schema": 1, "settings": []}

    async def doubts(self) -> tuple[int, dict[str, Any]]:
        return 200, {"schema": 1, "calls": []}


def _client() -> TestClient[Any, Any]:
    reports = Reports(lambda: True, str, dict, dashboard=_Desk())
    return TestClient(TestServer(application(reports)))


@pytest.mark.parametrize(
    ("path", "status", "kind", "part"),
    [
        ("/", 200, "text/html", "<title>Tidegate</title>"),
        ("/page/main.js", 200, "text/javascript", "connect()"),
        ("/page/base.css", 200, "text/css", "color-scheme"),
        ("/page/icon.svg", 200, "image/svg+xml", "<svg"),
        ("/page/none.js", 404, "application/problem+json", "no_file"),
        ("/page/..%2Fapi.py", 404, "application/problem+json", "no_file"),
        ("/partners/acme", 200, "application/json", '"acme"'),
        ("/partners/none", 404, "application/problem+json", "no_partner"),
        ("/config", 200, "application/json", '"settings"'),
        ("/doubts", 200, "application/json", '"calls"'),
    ],
)
async def test_each_page_is_served(path: str, status: int, kind: str, part: str) -> None:
    """As what it is, and nothing beyond the folder."""
    async with _client() as client:
        answer = await client.get(path)
        assert (answer.status, answer.content_type) == (status, kind)
        assert part in await answer.text()


async def test_the_page_may_load_its_own_files_alone_and_stand_in_no_frame() -> None:
    """Documents may load nothing at all."""
    async with _client() as client:
        page, document = await client.get("/"), await client.get("/config")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert document.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for answer in (page, document):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_no_file_asks_for_anything_from_elsewhere_or_makes_markup_of_text() -> None:
    """No address but the name of SVG, no inline style or script, no innerHTML."""
    for name, (content, _) in files().items():
        text = content.decode().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text, name
        assert "innerHTML" not in text, name
        assert not re.search(r"<script>|<style|\sstyle=|\son[a-z]+=\"", text), name
        assert len(content) < 8000, name


async def test_changes_come_as_events_with_the_same_headers() -> None:
    """Everything first, then a beat."""
    async with _client() as client, client.get("/live") as answer:
        assert answer.content_type == "text/event-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        heard = b""
        while b"event: beat" not in heard:
            heard += await asyncio.wait_for(answer.content.readany(), 5)
    assert b'event: about\ndata: {"version":"1"}\n\n' in heard
    assert b'event: rows\ndata: [{"upstream":"a"}]\n\n' in heard


async def test_one_viewer_too_many_is_told_so_and_the_end_waits_for_nobody() -> None:
    """Open streams end with the listener, at once."""
    client = _client()
    async with client, ClientSession() as session:
        url = client.make_url("/live")
        looking = [await session.get(url) for _ in range(VIEWERS_MAX)]
        refused = await session.get(url)
        assert refused.status == 503
        assert json.loads(await refused.read())["reason"] == "viewers"
        async with asyncio.timeout(5):
            await client.server.close()
        for each in looking:
            each.close()


def test_without_a_desk_there_are_no_pages() -> None:
    """As in tests of other pages."""
    assert pages(None, None) == []

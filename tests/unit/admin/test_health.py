"""`proxy.admin.health`: the pages about what has degraded."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from proxy.admin.health import pages


class _Desk:
    """One incident, called one."""

    def verdicts(self) -> dict[str, Any]:
        return {"schema": 1, "verdicts": []}

    def incidents(self) -> dict[str, Any]:
        return {"schema": 1, "incidents": []}

    def incident(self, id_: str) -> dict[str, Any] | None:
        return {"schema": 1, "incident": {"id": "one"}} if id_ == "one" else None

    def markdown(self, id_: str) -> str | None:
        return "# Incident one\n" if id_ == "one" else None

    def overview(self) -> dict[str, Any]:
        return {"schema": 1, "changes": 7}


@pytest.mark.parametrize(
    ("path", "status", "kind", "part"),
    [
        ("/verdicts", 200, "application/json", '"verdicts"'),
        ("/incidents", 200, "application/json", '"incidents"'),
        ("/incidents/one", 200, "application/json", '"id": "one"'),
        ("/incidents/one.md", 200, "text/markdown", "# Incident one"),
        ("/incidents/two", 404, "application/problem+json", "no_incident"),
        ("/incidents/two.md", 404, "application/problem+json", "no_incident"),
        ("/overview", 200, "application/json", '"changes": 7'),
    ],
)
async def test_each_page_serves_its_document(path: str, status: int, kind: str, part: str) -> None:
    """As JSON, or as Markdown where that is asked for."""
    app = web.Application()
    app.add_routes(pages(_Desk()))
    async with TestClient(TestServer(app)) as client:
        answer = await client.get(path)
        assert (answer.status, answer.content_type) == (status, kind)
        assert part in await answer.text()


def test_without_a_desk_there_are_no_pages() -> None:
    """As in tests of other pages."""
    assert pages(None) == []

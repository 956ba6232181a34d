"""The pages about what has degraded: verdicts, incidents and the overview. They are read only."""

from __future__ import annotations

from typing import Any, Protocol

from aiohttp import web

from proxy.admin.calls import answer, problem


class Desk(Protocol):
    """What the house knows of its partners' health, as documents."""

    def verdicts(self) -> dict[str, Any]:
        """What stands now."""

    def incidents(self) -> dict[str, Any]:
        """All records."""

    def incident(self, id_: str) -> dict[str, Any] | None:
        """One record, or None for no such."""

    def markdown(self, id_: str) -> str | None:
        """The same as a page."""

    def overview(self) -> dict[str, Any]:
        """Everything at a glance, with a counter of changes."""


def pages(desk: Desk | None) -> list[web.RouteDef]:
    """The routes; none without a desk."""
    if desk is None:
        return []

    async def verdicts(_: web.Request) -> web.Response:
        return answer(200, desk.verdicts())

    async def incidents(_: web.Request) -> web.Response:
        return answer(200, desk.incidents())

    async def overview(_: web.Request) -> web.Response:
        return answer(200, desk.overview())

    async def incident(request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        if id_.endswith(".md"):
            text = desk.markdown(id_.removesuffix(".md"))
            if text is not None:
                return web.Response(text=text, content_type="text/markdown")
        found = None if id_.endswith(".md") else desk.incident(id_)
        if found is None:
            return problem(404, "no_incident", "There is no such incident.")
        return answer(200, found)

    return [
        web.get("/verdicts", verdicts),
        web.get("/incidents", incidents),
        web.get("/incidents/{id}", incident),
        web.get("/overview", overview),
    ]

"""The pages about calls: what became of one, and the news that a webhook brings.

What comes in, here and in orders.py, is bounded in size and time and checked
member by member. Nothing of a refused body is repeated in an answer: what is
sent here by mistake may hold a card.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Mapping
from typing import Any, Protocol

from aiohttp import web

BODY_BYTES_MAX = 16 * 1024
TIMEOUT_BODY_S = 5.0
REASON_LENGTH_MAX = 1000
_MEMBERS = frozenset(("execution", "reason", "status", "id", "by"))
_BAD_NEWS = (
    "The body is not news of a call: a JSON object with `execution` (done or none), `reason` (text "
    "of up to 1000 printable characters), and, if wanted, `status` (100 to 599) and `id` (32 "
    "hexadecimal digits); nothing else. See docs/journal.md."
)
_HEX = frozenset("0123456789abcdefABCDEF")


class Desk(Protocol):
    """What a journal at work tells and takes: (HTTP status, JSON document)."""

    async def tell(
        self, key: str, tenant: str | None, operation: str | None
    ) -> tuple[int, dict[str, Any]]:
        """What is known of the calls with this key or id."""

    async def take(
        self, key: str, tenant: str | None, operation: str | None, news: Mapping[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        """What came of news about a call in doubt."""


def pages(desk: Desk | None, token: bytes | None) -> list[web.RouteDef]:
    """The routes; without a journal they know no call. `token` is asked for by what writes."""

    async def tell(request: web.Request) -> web.Response:
        if desk is None:
            return _no_journal()
        return answer(*await desk.tell(*_which(request)))

    async def take(request: web.Request) -> web.Response:
        refused = refusal(request, token)
        if refused is not None:
            return refused
        if desk is None:
            return _no_journal()
        body = await read_body(request)
        if isinstance(body, web.Response):
            return body
        news = read_news(body)
        if news is None:
            return problem(400, "bad_news", _BAD_NEWS)
        return answer(*await desk.take(*_which(request), news))

    return [web.get("/calls/{key}", tell), web.put("/calls/{key}/result", take)]


async def read_body(request: web.Request) -> bytes | web.Response:
    """The body, or the answer to one that is too large or does not come."""
    try:
        async with asyncio.timeout(TIMEOUT_BODY_S):
            return await request.read()
    except TimeoutError:
        return problem(408, "body_timeout", "The body did not come in time.")
    except web.HTTPRequestEntityTooLarge:
        return problem(413, "body_too_large", "The body is larger than 16 KiB.")


def read_news(body: bytes) -> dict[str, Any] | None:
    """The members that a body of news has, or None if it is none."""
    try:
        news = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(news, dict) or not news.keys() <= _MEMBERS:
        return None
    reason, status, row_id = news.get("reason"), news.get("status", 200), news.get("id", "0" * 32)
    good = (
        news.get("execution") in ("done", "none")
        and news.get("by", "webhook") in ("webhook", "operator")
        and isinstance(reason, str)
        and 0 < len(reason) <= REASON_LENGTH_MAX
        and reason.isprintable()
        and type(status) is int
        and 100 <= status <= 599
        and isinstance(row_id, str)
        and len(row_id) == 32
        and set(row_id) <= _HEX
    )
    return news if good else None


def refusal(request: web.Request, token: bytes | None) -> web.Response | None:
    """Why this request may not write. A form of a web page cannot send this content type."""
    refused = token_refusal(request, token)
    if refused is not None:
        return refused
    if request.content_type != "application/json":
        return problem(415, "content_type", "The body must be application/json.")
    return None


def token_refusal(request: web.Request, token: bytes | None) -> web.Response | None:
    """Why this request may not change anything, a body or none."""
    if token is not None:
        said = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(said, b"Bearer " + token):
            return problem(401, "token", "The token is missing or wrong.")
    return None


def _which(request: web.Request) -> tuple[str, str | None, str | None]:
    """Key, tenant and operation that are asked for."""
    query = request.query
    return request.match_info["key"], query.get("tenant"), query.get("operation")


def _no_journal() -> web.Response:
    return problem(404, "no_journal", "This sidecar has no journal.")


def problem(status: int, reason: str, detail: str) -> web.Response:
    """A refusal in the form of RFC 9457; `detail` is a fixed sentence of ours."""
    return answer(status, {"status": status, "reason": reason, "detail": detail})


def answer(status: int, document: dict[str, Any]) -> web.Response:
    """A document as JSON; a refusal as a problem."""
    kind = "application/json" if status == 200 else "application/problem+json"
    return web.Response(status=status, body=json.dumps(document).encode(), content_type=kind)

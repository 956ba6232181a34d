"""The pages about routes: where calls go, and what operators say about that.

What is said is bounded, checked member by member, and asked for the admin token
like news of a call. A reason is shown to others and logged, so one that looks
like it holds a card's number is refused.
"""

from __future__ import annotations

import json
import re
from typing import Any, Protocol, TypeGuard

from aiohttp import web

from proxy.admin.calls import answer, problem, read_body, refusal, token_refusal
from proxy.model.standing import Kind, Why

REASON_LENGTH_MAX = 200
BY_LENGTH_MAX = 64
LASTS_MIN_S, LASTS_MAX_S = 60.0, 7 * 86_400.0
_LASTS = "1h"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_CARD = re.compile(r"(?:[0-9][ -]?){12}")
_FORCE = frozenset(("upstream", "reason", "by", "for"))
_DRAIN = _FORCE - {"upstream"}

Answer = tuple[int, dict[str, Any]]


class Desk(Protocol):
    """Whoever decides where calls go: (HTTP status, JSON document)."""

    def tell(self) -> dict[str, Any]:
        """Each route, and every difference to the file."""

    async def force(self, route: str, upstream: str, why: Why) -> Answer:
        """New calls of a route go to this upstream alone."""

    async def drain(self, upstream: str, why: Why) -> Answer:
        """New payments go to this upstream no more."""

    async def isolate(self, upstream: str, why: Why) -> Answer:
        """Nothing at all goes to this upstream."""

    async def release(self, kind: Kind, name: str) -> Answer:
        """The file counts again for this route or upstream."""


class BadOrder(Exception):
    """The text says which member is wrong, and what it may be."""


def pages(desk: Desk | None, token: bytes | None) -> list[web.RouteDef]:
    """The routes; `token` is asked for by what changes something."""
    if desk is None:
        return []

    async def tell(_: web.Request) -> web.Response:
        return answer(200, desk.tell())

    async def force(request: web.Request) -> web.Response:
        return await _ordered(request, token, desk, Kind.FORCE)

    async def drain(request: web.Request) -> web.Response:
        return await _ordered(request, token, desk, Kind.DRAIN)

    async def isolate(request: web.Request) -> web.Response:
        return await _ordered(request, token, desk, Kind.ISOLATE)

    async def let_go(request: web.Request) -> web.Response:
        return await _released(request, token, desk, Kind.FORCE)

    async def refill(request: web.Request) -> web.Response:
        return await _released(request, token, desk, Kind.DRAIN)

    async def join(request: web.Request) -> web.Response:
        return await _released(request, token, desk, Kind.ISOLATE)

    return [
        web.get("/routes", tell),
        web.put("/routes/{name}/force", force),
        web.delete("/routes/{name}/force", let_go),
        web.put("/upstreams/{name}/drain", drain),
        web.delete("/upstreams/{name}/drain", refill),
        web.put("/upstreams/{name}/isolate", isolate),
        web.delete("/upstreams/{name}/isolate", join),
    ]


async def _ordered(
    request: web.Request, token: bytes | None, desk: Desk, kind: Kind
) -> web.Response:
    refused = refusal(request, token)
    if refused is not None:
        return refused
    body = await read_body(request)
    if isinstance(body, web.Response):
        return body
    try:
        members = read_members(body, _FORCE if kind is Kind.FORCE else _DRAIN)
        why = read_why(members)
        name = request.match_info["name"]
        if kind is Kind.DRAIN:
            return answer(*await desk.drain(name, why))
        if kind is Kind.ISOLATE:
            return answer(*await desk.isolate(name, why))
        upstream = members.get("upstream")
        if not isinstance(upstream, str):
            raise BadOrder("`upstream` must be the name of a candidate of the route.")
        return answer(*await desk.force(name, upstream, why))
    except BadOrder as error:
        return problem(400, "bad_order", str(error))


async def _released(
    request: web.Request, token: bytes | None, desk: Desk, kind: Kind
) -> web.Response:
    refused = token_refusal(request, token)
    if refused is not None:
        return refused
    return answer(*await desk.release(kind, request.match_info["name"]))


def read_members(body: bytes, known: frozenset[str]) -> dict[str, Any]:
    """The members of a body. Raises BadOrder."""
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict) or not members.keys() <= known:
        raise BadOrder(
            f"The body must be a JSON object with members of: {', '.join(sorted(known))}."
        )
    return members


def read_why(members: dict[str, Any]) -> Why:
    """Who, why and for how long. Raises BadOrder."""
    reason, by = members.get("reason"), members.get("by", "operator")
    if not _text(reason, REASON_LENGTH_MAX):
        raise BadOrder(
            f"`reason` must be 1 to {REASON_LENGTH_MAX} printable characters, without a number of "
            "12 digits or more: it is shown and logged."
        )
    if not _text(by, BY_LENGTH_MAX):
        raise BadOrder(f"`by` must be 1 to {BY_LENGTH_MAX} printable characters, who says it.")
    return Why(reason, by, _lasts_s(members.get("for", _LASTS)))


def _text(found: object, length_max: int) -> TypeGuard[str]:
    return (
        isinstance(found, str)
        and 0 < len(found.strip()) <= len(found) <= length_max
        and found.isprintable()
        and _CARD.search(found) is None
    )


def _lasts_s(said: object) -> float:
    found = _DURATION.fullmatch(said) if isinstance(said, str) else None
    lasts_s = float(found[1]) * _SECONDS[found[2]] if found is not None else 0.0
    if not LASTS_MIN_S <= lasts_s <= LASTS_MAX_S:
        raise BadOrder("`for` must be a duration from 1m to 7d, such as 90m, 2h or 1d.")
    return lasts_s

"""`proxy.admin.orders`: what operators say about routes, over the real listener."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from proxy.admin import calls
from proxy.admin.orders import BadOrder, read_members, read_why
from proxy.model.standing import Kind, Why
from tests.support.client import Client, Reply
from tests.support.sidecar import Address
from tests.support.values import CARD
from tests.unit.admin.serving import BOTH_LOOPS, Told, get, serving

JSON = ("Content-Type", "application/json")
WHY = {"reason": "their status page", "by": "ann", "for": "2h"}
FORCE, DRAIN = "/routes/charges/force", "/upstreams/a/drain"
ISOLATE = "/upstreams/a/isolate"


class _Desk:
    """Notes what it is told, and answers as it is set."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.answer: tuple[int, dict[str, Any]] = (200, {"schema": 1})

    def tell(self) -> dict[str, Any]:
        """What it is set to say."""
        return self.answer[1]

    async def force(self, route: str, upstream: str, why: Why) -> tuple[int, dict[str, Any]]:
        """What it is set to say."""
        self.told.append(("force", route, upstream, why))
        return self.answer

    async def drain(self, upstream: str, why: Why) -> tuple[int, dict[str, Any]]:
        """What it is set to say."""
        self.told.append(("drain", upstream, why))
        return self.answer

    async def isolate(self, upstream: str, why: Why) -> tuple[int, dict[str, Any]]:
        """What it is set to say."""
        self.told.append(("isolate", upstream, why))
        return self.answer

    async def release(self, kind: Kind, name: str) -> tuple[int, dict[str, Any]]:
        """What it is set to say."""
        self.told.append(("release", kind, name))
        return self.answer


def _ask(address: Address, method: str, path: str, said: Any, *fields: tuple[str, str]) -> Reply:
    body = None if said is None else json.dumps(said).encode()
    given = fields or ((JSON,) if said is not None else ())
    with Client(address) as client:
        return client.call(method, path, body, given, host="127.0.0.1")


@BOTH_LOOPS
def test_orders_are_handed_on_whole(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """With who, why and for how many seconds; names are percent-decoded."""
    desk = _Desk()

    def use(address: Address) -> None:
        said = _ask(address, "PUT", "/routes/card%20s/force", {"upstream": "b", **WHY})
        assert (said.status, json.loads(said.body)) == (200, {"schema": 1})
        assert _ask(address, "PUT", DRAIN, {"reason": "r"}).status == 200
        assert _ask(address, "DELETE", FORCE, None).status == 200
        assert _ask(address, "DELETE", DRAIN, None).status == 200
        assert _ask(address, "PUT", ISOLATE, {"reason": "r"}).status == 200
        assert _ask(address, "DELETE", ISOLATE, None).status == 200
        assert json.loads(get(address, "/routes").body) == {"schema": 1}

    serving(loop, use, told=Told(routes=desk))
    assert desk.told == [
        ("force", "card s", "b", Why("their status page", "ann", 7200.0)),
        ("drain", "a", Why("r", "operator", 3600.0)),
        ("release", Kind.FORCE, "charges"),
        ("release", Kind.DRAIN, "a"),
        ("isolate", "a", Why("r", "operator", 3600.0)),
        ("release", Kind.ISOLATE, "a"),
    ]


def test_a_refusal_is_the_desks() -> None:
    """As a problem document."""
    desk = _Desk()
    desk.answer = (404, {"status": 404, "reason": "no_route", "known": ["charges"]})

    def use(address: Address) -> None:
        refused = _ask(address, "PUT", "/routes/x/force", {"upstream": "b", **WHY})
        assert (refused.status, json.loads(refused.body)["known"]) == (404, ["charges"])
        assert refused.header("content-type") == "application/problem+json"

    serving(asyncio.new_event_loop, use, told=Told(routes=desk))


@pytest.mark.parametrize(("method", "path"), [
    ("PUT", FORCE), ("PUT", DRAIN), ("DELETE", FORCE), ("DELETE", DRAIN),
    ("PUT", ISOLATE), ("DELETE", ISOLATE),
])  # fmt: skip
def test_whoever_changes_something_must_show_the_token(method: str, path: str) -> None:
    """Reading needs none; another origin's page may do neither."""
    desk = _Desk()
    said = None if method == "DELETE" else ({"upstream": "b"} if path == FORCE else {}) | WHY

    def use(address: Address) -> None:
        for value in ("Bearer wrong", "Basic sesame-open", ""):
            assert _ask(address, method, path, said, JSON, ("Authorization", value)).status == 401
        assert _ask(address, method, path, said).status == 401
        good = ("Authorization", "Bearer sesame-open")
        assert _ask(address, method, path, said, JSON, good, ("Origin", "null")).status == 403
        assert desk.told == []
        assert _ask(address, method, path, said, JSON, good).status == 200
        assert get(address, "/routes").status == 200

    serving(asyncio.new_event_loop, use, told=Told(routes=desk, token=b"sesame-open"))
    assert len(desk.told) == 1


def test_what_a_web_page_can_send_is_refused() -> None:
    """A form needs no permission to cross origins."""
    desk = _Desk()

    def use(address: Address) -> None:
        for kind in ("text/plain", "application/x-www-form-urlencoded"):
            assert _ask(address, "PUT", DRAIN, WHY, ("Content-Type", kind)).status == 415

    serving(asyncio.new_event_loop, use, told=Told(routes=desk))
    assert desk.told == []


def test_input_is_bounded_in_size_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that is too large, or never comes, is refused."""
    monkeypatch.setattr(calls, "TIMEOUT_BODY_S", 0.05)
    desk = _Desk()

    def use(address: Address) -> None:
        huge = {"reason": "x" * calls.BODY_BYTES_MAX}
        assert _ask(address, "PUT", DRAIN, huge).status == 413
        with Client(address) as client:
            client.send(
                b"PUT /upstreams/a/drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
                b"Content-Type: application/json\r\n\r\n{"
            )
            assert client.receive().status == 408

    serving(asyncio.new_event_loop, use, told=Told(routes=desk))
    assert desk.told == []


@pytest.mark.parametrize(
    ("said", "member"),
    [
        ({**WHY, "reason": ""}, "reason"),
        ({**WHY, "reason": "  "}, "reason"),
        ({**WHY, "reason": "x" * 201}, "reason"),
        ({**WHY, "reason": "two\nlines"}, "reason"),
        ({**WHY, "reason": 7}, "reason"),
        ({**WHY, "reason": f"card {CARD}"}, "reason"),
        ({**WHY, "reason": "4111 1111-1111 1111"}, "reason"),
        ({"by": "ann"}, "reason"),
        ({**WHY, "by": ""}, "by"),
        ({**WHY, "by": "x" * 65}, "by"),
        ({**WHY, "by": CARD}, "by"),
        ({**WHY, "for": "59s"}, "for"),
        ({**WHY, "for": "8d"}, "for"),
        ({**WHY, "for": "169h"}, "for"),
        ({**WHY, "for": "1.5h"}, "for"),
        ({**WHY, "for": 3600}, "for"),
        ({**WHY, "for": "for ever"}, "for"),
        ({**WHY, "pan": CARD}, "JSON object"),
        ([], "JSON object"),
        ({"upstream": "a", **WHY}, "JSON object"),
    ],
)
def test_a_bad_order_names_the_member_and_changes_nothing(said: Any, member: str) -> None:
    """What is right is said; what was sent is not repeated, for it may hold a card."""
    desk = _Desk()

    def use(address: Address) -> None:
        refused = _ask(address, "PUT", DRAIN, said)
        found = json.loads(refused.body)
        assert (refused.status, found["reason"], member in found["detail"]) == (
            400, "bad_order", True,
        )  # fmt: skip
        assert CARD.encode() not in refused.raw

    serving(asyncio.new_event_loop, use, told=Told(routes=desk))
    assert desk.told == []


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 10_000, b"\xff"])
def test_a_body_that_is_no_json_is_a_bad_order(body: bytes) -> None:
    """However it is broken."""
    with pytest.raises(BadOrder, match="JSON object"):
        read_members(body, frozenset())


@pytest.mark.parametrize("upstream", [None, 7, []])
def test_a_force_needs_an_upstream(upstream: object) -> None:
    """By name."""
    desk = _Desk()

    def use(address: Address) -> None:
        refused = _ask(address, "PUT", FORCE, {"upstream": upstream, **WHY})
        assert (refused.status, "`upstream`" in json.loads(refused.body)["detail"]) == (400, True)

    serving(asyncio.new_event_loop, use, told=Told(routes=desk))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60.0), ("1m", 60.0), ("90m", 5400.0), ("2h", 7200.0), ("7d", 604_800.0)],
)
def test_how_long_it_may_last(text: str, seconds: float) -> None:
    """From a minute to a week; an hour if nobody says."""
    assert read_why({**WHY, "for": text}).lasts_s == seconds
    assert read_why({"reason": "r"}).lasts_s == 3600.0


def test_without_a_desk_there_are_no_such_pages() -> None:
    """404, like any other path."""
    serving(asyncio.new_event_loop, lambda at: _is(404, get(at, "/routes")))


def _is(status: int, reply: Reply) -> None:
    assert reply.status == status

"""`proxy.admin.calls`: what became of a call, and news of one, over the real listener."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from proxy.admin import calls
from proxy.admin.calls import BODY_BYTES_MAX, read_news
from tests.support.client import Client, Reply
from tests.support.sidecar import Address
from tests.support.values import CARD
from tests.unit.admin.serving import BOTH_LOOPS, Office, Told, get, serving

NEWS = {"execution": "done", "reason": "event evt_1"}
JSON = ("Content-Type", "application/json")


def _put(address: Address, body: bytes, *fields: tuple[str, str], call: str = "k1") -> Reply:
    with Client(address) as client:
        path = f"/calls/{call}/result"
        return client.call("PUT", path, body, fields or (JSON,), host="127.0.0.1")


def _news(**over: Any) -> bytes:
    return json.dumps({**NEWS, **over}).encode()


@BOTH_LOOPS
def test_a_call_is_asked_for_by_key_or_id(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Percent-encoded where need be; tenant and operation narrow it."""
    office = Office()

    def use(address: Address) -> None:
        found = get(address, "/calls/order-1")
        assert (found.status, json.loads(found.body)) == (200, {"schema": 1, "calls": []})
        assert found.header("content-type") == "application/json"
        get(address, "/calls/a%2Fb%20c?tenant=shop&operation=refund")
        office.answer = (404, {"status": 404, "reason": "no_call", "detail": "No."})
        missing = get(address, f"/calls/{CARD}")
        assert missing.status == 404
        assert missing.header("content-type") == "application/problem+json"
        assert CARD.encode() not in missing.raw

    serving(loop, use, told=Told(desk=office))
    assert office.asked[:2] == [("order-1", None, None), ("a/b c", "shop", "refund")]


@BOTH_LOOPS
def test_news_is_handed_on_whole(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """And the answer is the journal's."""
    office = Office()

    def use(address: Address) -> None:
        assert _put(address, _news(status=201, id="ab" * 16)).status == 200
        office.answer = (409, {"status": 409, "reason": "at_work", "detail": "No."})
        refused = _put(address, _news(), call="a%2Fb")
        assert (refused.status, json.loads(refused.body)["reason"]) == (409, "at_work")

    serving(loop, use, told=Told(desk=office))
    assert office.taken == [
        (("k1", None, None), {**NEWS, "status": 201, "id": "ab" * 16}),
        (("a/b", None, None), NEWS),
    ]


def test_whoever_writes_must_show_the_token() -> None:
    """The wrong one, another scheme and none are refused alike; reading needs none."""
    office = Office()

    def use(address: Address) -> None:
        for value in ("Bearer wrong", "Basic sesame-open", "sesame-open", "", "Bearer é"):
            refused = _put(address, _news(), JSON, ("Authorization", value))
            assert (refused.status, json.loads(refused.body)["reason"]) == (401, "token"), value
        assert _put(address, _news()).status == 401
        good = _put(address, _news(), JSON, ("Authorization", "Bearer sesame-open"))
        assert good.status == 200
        assert get(address, "/calls/k1").status == 200

    serving(asyncio.new_event_loop, use, told=Told(desk=office, token=b"sesame-open"))
    assert len(office.taken) == 1


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_what_a_web_page_can_send_is_refused(kind: str | None) -> None:
    """A form needs no permission to cross origins; JSON does, and never gets it."""
    office = Office()

    def use(address: Address) -> None:
        fields = (("Content-Type", kind),) if kind else (("X-Nothing", "x"),)
        assert _put(address, _news(), *fields).status == 415
        assert _put(address, _news(), JSON, ("Origin", "null")).status == 403
        assert get(address, "/calls/k1", ("Origin", "null")).status == 403

    serving(asyncio.new_event_loop, use, told=Told(desk=office))
    assert (office.taken, office.asked) == ([], [])


@BOTH_LOOPS
def test_input_is_bounded_in_size_and_time(
    loop: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that is too large, or never comes, is refused."""
    monkeypatch.setattr(calls, "TIMEOUT_BODY_S", 0.05)
    office = Office()

    def use(address: Address) -> None:
        assert _put(address, _news(reason="x" * BODY_BYTES_MAX)).status == 413
        with Client(address) as client:
            client.send(
                b"PUT /calls/k1/result HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
                b"Content-Type: application/json\r\n\r\n{"
            )
            assert client.receive().status == 408

    serving(loop, use, told=Told(desk=office))
    assert office.taken == []


def test_bad_news_is_refused_and_not_repeated() -> None:
    """What comes here by mistake may hold a card."""
    office = Office()

    def use(address: Address) -> None:
        refused = _put(address, _news(pan=CARD), call=CARD)
        assert (refused.status, json.loads(refused.body)["reason"]) == (400, "bad_news")
        assert CARD.encode() not in refused.raw

    serving(asyncio.new_event_loop, use, told=Told(desk=office))
    assert office.taken == []


def test_without_a_journal_no_call_is_known() -> None:
    """And no news is taken."""

    def use(address: Address) -> None:
        for reply in (get(address, "/calls/k1"), _put(address, _news())):
            assert (reply.status, json.loads(reply.body)["reason"]) == (404, "no_journal")
        assert get(address, "/calls/k1", method="DELETE").status == 405
        assert get(address, "/calls/k1/result").status == 405

    serving(asyncio.new_event_loop, use)


@pytest.mark.parametrize(
    "over",
    [{}, {"execution": "none"}, {"status": 402}, {"id": "AB" * 16}, {"by": "operator"}],
)
def test_news_has_an_execution_and_a_reason(over: dict[str, Any]) -> None:
    """And maybe the partner's status, the call's id, and who says so."""
    assert read_news(_news(**over)) == {**NEWS, **over}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        _news(execution="unknown"),
        _news(execution=["done"]),
        _news(reason=""),
        _news(reason="x" * 1001),
        _news(reason="two\nlines"),
        _news(reason=7),
        _news(status="200"),
        _news(status=True),
        _news(status=99),
        _news(status=600),
        _news(id="abc"),
        _news(id="x" * 32),
        _news(id=1),
        _news(by="nobody"),
        _news(by=[]),
        _news(more=1),
    ],
)
def test_what_is_no_news_is_none(body: bytes) -> None:
    """Whatever is wrong with it."""
    assert read_news(body) is None

"""Rules for requests and answers apart from any server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proxy.sandbox.message import (
    NONCE_CHARACTERS_MAX,
    Answer,
    PartnerRequest,
    body_object,
    error,
    reason_phrase,
    wire,
)


def asked(body: dict[str, Any], **members: Any) -> PartnerRequest:
    """A charge request with this body."""
    given = {"method": "POST", "path": "/v1/charges", "query": {}, "operation": "authorize"}
    return PartnerRequest(**{**given, "body": body, **members})


def test_a_fingerprint_sees_parameters_and_never_the_card() -> None:
    """Amount, path and scheme change it; nonce, card number and order of members do not."""
    base: dict[str, Any] = {
        "amount": 1,
        "reference": "r",
        "card": {"number": "4", "scheme": "visa"},
    }
    same = asked(base).fingerprint
    reordered = {"card": {"scheme": "VISA", "number": "5"}, "reference": "r", "amount": 1}
    assert asked({**reordered, "nonce": "n"}).fingerprint == same
    assert asked({**base, "amount": 2}).fingerprint != same
    assert asked({**base, "card": {"scheme": "amex"}}).fingerprint != same
    assert asked(base, path="/v1/refunds").fingerprint != same


def test_reference_comes_from_body_or_query_in_either_name() -> None:
    """Each kind of partner names the application's reference in its own way."""
    assert asked({"reference": "a"}).reference == "a"
    assert asked({"merchantReference": "b"}).reference == "b"
    assert asked({}, query={"merchantReference": "c"}).reference == "c"
    assert asked({"reference": 5}).reference is None


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"[1]", b"null", b"[" * 100_000])
def test_a_body_that_is_no_object_is_a_problem_not_a_crash(raw: bytes) -> None:
    """Whatever the bytes, there is an object to look into, and a sentence about them."""
    found, problem = body_object(raw)
    assert found == {}
    assert problem is not None
    assert body_object(b"") == ({}, None)


def test_an_answer_is_framed_and_echoes_nonce_and_time() -> None:
    """The length is the body's, the nonce stands in header and body, the time has 3 decimals."""
    raw = wire(Answer(200, {"id": "x"}), "n-1", 1.23456).encode()
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: %d" % len(body) in head
    assert b"Sandbox-Nonce: n-1" in head
    assert b"Sandbox-Time-Ms: 1.235" in head
    assert json.loads(body) == {"nonce": "n-1", "id": "x"}


def test_a_stored_nonce_wins_in_the_body_and_never_in_the_header() -> None:
    """A replay has the first request's body, but its header answers the request at hand."""
    made = wire(Answer(200, {"nonce": "first"}), "second", 0)
    assert json.loads(made.body)["nonce"] == "first"
    assert (b"Sandbox-Nonce", b"second") in made.headers


@pytest.mark.parametrize("nonce", ["a\r\nX-Split: 1", "é", "", "n" * (NONCE_CHARACTERS_MAX + 1)])
def test_a_nonce_that_could_bend_the_head_is_not_echoed_there(nonce: str) -> None:
    """The head has no line that a nonce brought along."""
    head, _, body = wire(Answer(200, {}), nonce, 0).encode().partition(b"\r\n\r\n")
    assert b"Sandbox-Nonce" not in head
    assert b"X-Split" not in head
    assert json.loads(body)["nonce"] == nonce


def test_an_error_tells_whose_fault_it_is() -> None:
    """5xx are api_error, others invalid_request_error."""
    assert error(500, "c", "m").body["error"]["type"] == "api_error"
    assert error(404, "c", "m", "id").body["error"] == {
        "type": "invalid_request_error",
        "code": "c",
        "message": "m",
        "param": "id",
    }
    assert reason_phrase(599) == "Unusual"


def test_dropping_a_header_ignores_its_spelling() -> None:
    """`without` takes a header away however it is written."""
    made = wire(Answer(200, {}), None, 0).without(b"content-length")
    assert b"content-length" not in made.encode().lower()

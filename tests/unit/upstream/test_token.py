"""Rules for the request for a token, and for what counts as one."""

from __future__ import annotations

from base64 import b64decode

import pytest

from proxy.model.settling import OAuth2
from proxy.upstream.token import question, token_of

SECRET = "s3cr:t/%"


def test_the_request_for_a_token() -> None:
    """Name and secret are encoded before they are joined (RFC 6749 section 2.3.1)."""
    asked = question(OAuth2("a", b"/token", "us er", SECRET, "payments:read x"))
    assert (asked.method, asked.target) == (b"POST", b"/token")
    basic = dict(asked.headers)[b"Authorization"].removeprefix(b"Basic ")
    assert b64decode(basic) == b"us+er:s3cr%3At%2F%25"
    assert asked.body == b"grant_type=client_credentials&scope=payments%3Aread+x"
    assert question(OAuth2("a", b"/t", "c", "s", None)).body == b"grant_type=client_credentials"


@pytest.mark.parametrize(
    ("body", "lasts_s"),
    [
        (b'{"access_token": "t", "expires_in": 3600}', 3540.0),
        (b'{"access_token": "t", "expires_in": "3600", "token_type": "bearer"}', 3540.0),
        (b'{"access_token": "t", "expires_in": 60}', 30.0),
        (b'{"access_token": "t"}', 240.0),
        (b'{"access_token": "t", "expires_in": "soon"}', 240.0),
        (b'{"access_token": "t", "expires_in": true}', 240.0),
        (b'{"access_token": "t", "expires_in": -5}', 0.0),
        (b'{"access_token": "t", "expires_in": NaN}', 0.0),
        (b'{"access_token": "t", "expires_in": 1e300}', 86340.0),
    ],
)
def test_a_token_is_used_until_shortly_before_its_end(body: bytes, lasts_s: float) -> None:
    """Half of a short life, and no more than a day of any."""
    token = token_of(200, body, 1000.0)
    assert token is not None
    assert (token.value, token.fresh_until) == (b"t", 1000.0 + lasts_s)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b'{"access_token": "t"}'),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"access_token": ""}'),
        (200, b'{"access_token": 7}'),
        (200, b'{"access_token": "a b"}'),
        (200, b'{"access_token": "a\\r\\nX: y"}'),
        (200, b'{"access_token": "t", "token_type": "mac"}'),
    ],
)
def test_anything_else_is_no_token(status: int, body: bytes) -> None:
    """It goes into a header, so it must be able to stand there."""
    assert token_of(status, body, 0.0) is None


def test_neither_secret_nor_token_shows() -> None:
    """Whatever is printed."""
    token = token_of(200, b'{"access_token": "t0ken"}', 0.0)
    assert "t0ken" not in repr(token)
    assert SECRET not in repr(OAuth2("a", b"/t", "c", SECRET, None))

"""PURE. Client credentials (RFC 6749 section 4.4): the request, and the token in its answer."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlencode

from proxy.model.settling import OAuth2, Question

_LASTS_S = 300.0
"""Where the answer does not say how long a token lasts (RFC 6749 only recommends that it does)."""
_LASTS_MAX_S = 86400.0
_TOKEN = re.compile(r"[!-~]{1,8192}")


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token; it stays out of every repr."""

    value: bytes = field(repr=False)
    fresh_until: float
    """Monotonic seconds: a margin before its end, so that it does not end on its way."""


def question(oauth2: OAuth2) -> Question:
    """The request for a token."""
    names = f"{quote_plus(oauth2.client_id)}:{quote_plus(oauth2.client_secret)}"
    form = {"grant_type": "client_credentials"}
    if oauth2.scope is not None:
        form["scope"] = oauth2.scope
    headers = (
        (b"Authorization", b"Basic " + b64encode(names.encode())),
        (b"Content-Type", b"application/x-www-form-urlencoded"),
        (b"Accept", b"application/json"),
    )
    return Question(b"POST", oauth2.target, "other", headers, urlencode(form).encode())


def token_of(status: int, body: bytes, now: float) -> Token | None:
    """The token in an answer, or None: whatever is wrong with it, it is not quoted."""
    if status != 200:
        return None
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or str(said.get("token_type", "bearer")).lower() != "bearer":
        return None
    value = said.get("access_token")
    if not isinstance(value, str) or _TOKEN.fullmatch(value) is None:
        return None
    lasts_s = _lasts_s(said.get("expires_in"))
    return Token(value.encode(), now + lasts_s - min(60.0, lasts_s / 2))


def _lasts_s(said: object) -> float:
    """Seconds; some servers write the number as text."""
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        return _LASTS_S
    try:
        seconds = float(said)
    except ValueError:
        return _LASTS_S
    return min(seconds, _LASTS_MAX_S) if seconds > 0.0 else 0.0

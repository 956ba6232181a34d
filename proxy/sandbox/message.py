"""What a partner is asked and what it answers, apart from any server (PURE).

An answer is kept in three steps: `Answer` (status and body as values),
`WireAnswer` (the lines that go out, still apart) and bytes. Faults work on the
second step, where a length can be made to lie.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from http import HTTPStatus
from typing import Any

NONCE_CHARACTERS_MAX = 200
"""Longer ones are not repeated in the header; ours are far shorter."""

_REFERENCE_NAMES = ("reference", "merchantReference")


@dataclass(frozen=True, slots=True)
class PartnerRequest:
    """One request as a partner sees it; `body` is the JSON object, or empty."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    operation: str
    nonce: str | None = None
    idempotency_key: str | None = None
    problem: str | None = None
    """Why the body is no JSON object, in our words."""

    @property
    def reference(self) -> str | None:
        """The application's own reference, wherever this kind of partner takes it."""
        for source in (self.body, self.query):
            for name in _REFERENCE_NAMES:
                if isinstance(found := source.get(name), str):
                    return found
        return None

    @property
    def scheme(self) -> str | None:
        """The card scheme in lower case; the only thing about a card that is ever looked at."""
        card = self.body.get("card")
        scheme = card.get("scheme") if isinstance(card, dict) else None
        return scheme.lower() if isinstance(scheme, str) else None

    @property
    def currency(self) -> str | None:
        """The currency in upper case."""
        currency = self.body.get("currency")
        return currency.upper() if isinstance(currency, str) else None

    @property
    def fingerprint(self) -> str:
        """A digest of what was asked for, without the nonce and, of the card, only its scheme.

        Leaving the card out keeps every trace of its number from the ledger.
        """
        asked = {k: v for k, v in self.body.items() if k not in ("card", "nonce")}
        parts = [self.method, self.path, dict(self.query), asked, self.scheme]
        text = json.dumps(parts, sort_keys=True)
        return blake2b(text.encode(), digest_size=12).hexdigest()


def body_object(raw: bytes) -> tuple[dict[str, Any], str | None]:
    """The JSON object in a body, or an empty one and the problem."""
    if not raw:
        return {}, None
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}, "the body is not JSON"
    return (found, None) if isinstance(found, dict) else ({}, "the body is not a JSON object")


@dataclass(frozen=True, slots=True)
class Answer:
    """A partner's answer as values. A `nonce` in the body wins over that of the request."""

    status: int
    body: Mapping[str, Any]
    headers: tuple[tuple[str, str], ...] = ()


def error(status: int, code: str, message: str, param: str | None = None) -> Answer:
    """An answer that says no; `message` is a fixed sentence, never anything that was sent."""
    kind = "api_error" if status >= 500 else "invalid_request_error"
    return Answer(
        status, {"error": {"type": kind, "code": code, "message": message, "param": param}}
    )


@dataclass(slots=True)
class WireAnswer:
    """The parts of an answer as they go out; nothing is checked, so that faults can bend it."""

    status_line: bytes
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def encode(self) -> bytes:
        """The bytes, exactly as the parts say."""
        lines = [self.status_line, *(name + b": " + value for name, value in self.headers)]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body

    def without(self, name: bytes) -> WireAnswer:
        """The same answer without a header."""
        kept = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        return WireAnswer(self.status_line, kept, self.body)


def reason_phrase(status: int) -> str:
    """The usual phrase of a status, or a neutral one."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unusual"


def wire(answer: Answer, nonce: str | None, time_ms: float) -> WireAnswer:
    """An answer framed by its length, with the nonce echoed and the partner's own time."""
    body = json.dumps({"nonce": nonce, **answer.body}, separators=(",", ":")).encode()
    headers = [
        (b"Content-Type", b"application/json"),
        (b"Content-Length", b"%d" % len(body)),
        (b"Sandbox-Time-Ms", b"%.3f" % time_ms),
        *((name.encode(), value.encode()) for name, value in answer.headers),
    ]
    if nonce and len(nonce) <= NONCE_CHARACTERS_MAX and nonce.isascii() and nonce.isprintable():
        headers.append((b"Sandbox-Nonce", nonce.encode()))
    status_line = f"HTTP/1.1 {answer.status} {reason_phrase(answer.status)}".encode()
    return WireAnswer(status_line, headers, body)

"""PURE. From a request to its key, its scope and its fingerprint.

The fingerprint ties a key to one payload: it is keyed (HMAC-SHA-256), because a
plain digest of a body with a card number can be turned back by trying them all.
JSON is compared by its meaning: members sorted, white space dropped, numbers as
they are written (1.0 is not 1.00: to an acquirer it may be another amount).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from proxy.idempotency.record import Scope
from proxy.model.pointer import at, members, parse, parts

_QUOTED = re.compile(rb'"((?:[ !#-\[\]-~]|\\["\\])*)"[ \t]*(?:;[ !-~]*)?')
_BARE = re.compile(rb"[!#-+\--:<-\[\]-~]+")
_ESCAPED = re.compile(rb"\\(.)")
_WHITE = " \t\n\r"
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""Texts, so that what is in them is passed over, and brackets."""
_SHA256 = hashlib.sha256()
_PARTNER_KEY = hashlib.sha256(b"partner key:")
"""Copied for each digest: to make one anew looks the algorithm up, which costs a call whose
processor was idle before it 8 us, and 20 to 60 with a key."""
_DEPTH_MAX = 200
"""How deep JSON may nest to be compared by its meaning. Without it the end would be that of the
stack, which is not the same at two tries of one payment."""


def _sorted_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(sorted(members(pairs).items()))


_CANONICAL = json.JSONDecoder(
    parse_int=tuple,
    parse_float=tuple,
    parse_constant=tuple,
    object_pairs_hook=_sorted_members,
)
"""Made once: making them costs as much as reading a small body. A number becomes the tuple of its
characters, as no other value does: so it stays as it was written, and apart from any text."""


def read_key(value: bytes, length_max: int) -> str | None:
    """The key of an Idempotency-Key header: bare, or a Structured-Fields string (RFC 9651)."""
    quoted = _QUOTED.fullmatch(value)
    if quoted is not None:
        text = _ESCAPED.sub(rb"\1", quoted[1])
    elif _BARE.fullmatch(value):
        text = value
    else:
        return None
    return text.decode("ascii") if 0 < len(text) <= length_max else None


def row_id(scope: Scope) -> bytes:
    """16 bytes. Each part with its length, so that no two scopes read alike."""
    tenant, group, operation, key = scope.tenant, scope.group, scope.operation, scope.key
    text = f"{len(tenant)}:{tenant}{len(group)}:{group}{len(operation)}:{operation}{len(key)}:{key}"
    made = _SHA256.copy()
    made.update(text.encode())
    return made.digest()[:16]


def partner_key(row: bytes, length_max: int) -> str:
    """What a partner with idempotency of its own knows the request by: stable, and only ours."""
    named = _PARTNER_KEY.copy()
    named.update(row)
    return f"tg-{named.hexdigest()}"[:length_max]


def next_partner_key(key: str) -> str:
    """The key for the run after one that was reversed: under the old one the partner would give
    the answer of the payment that was undone. It goes on from there and never back.
    """
    named = hashlib.sha256(b"after a reversal:" + key.encode()).hexdigest()
    return f"tg-{named}"[: len(key)]


def fingerprint(
    secret: bytes, method: bytes, target: bytes, body: bytes, volatile: Iterable[str] = ()
) -> bytes:
    """32 bytes over what is asked for; `volatile` are JSON pointers left out of it."""
    content = canonical(body, volatile)
    text = b"11:fingerprint%d:%b%d:%b%d:%b" % (
        len(method), method, len(target), target, len(content), content,
    )  # fmt: skip
    made = _keyed(secret).copy()
    made.update(text)
    return made.digest()


@lru_cache(maxsize=4)
def _keyed(secret: bytes) -> hmac.HMAC:
    return hmac.new(secret, digestmod="sha256")


def canonical(body: bytes, volatile: Iterable[str] = ()) -> bytes:
    """The meaning of a JSON body as bytes; any other body, and a doubtful one, as it stands."""
    if body[:1] not in (b"{", b"[") or _too_deep(body):
        return b"TEXT:" + body if body[:5] in (b"JSON:", b"TEXT:") else body
    try:
        value = _value(body.decode())
        for pointer in volatile:
            _remove(value, pointer)
        return b"JSON:" + ascii(value).encode()
    except (ValueError, RecursionError):
        return body


def _value(text: str) -> Any:
    """JSON that begins with the first character; `decode` would look for white space around it
    with two patterns, which costs as much again. Raises ValueError.
    """
    value, end = _CANONICAL.raw_decode(text)
    if end != len(text) and text[end:].strip(_WHITE):
        raise ValueError("something follows the JSON")
    return value


def _too_deep(body: bytes) -> bool:
    """Whether it nests too deep; counted only where there are as many brackets as that."""
    if body.count(b"[") + body.count(b"{") <= _DEPTH_MAX:
        return False
    depth = 0
    for mark in _MARKS.findall(body):
        depth += (mark in b"[{") - (mark in b"]}")
        if depth > _DEPTH_MAX:
            return True
    return False


def derived_key(secret: bytes, body: bytes, pointers: Iterable[str]) -> str | None:
    """A key from business fields, keyed since a card number may be among them; None if one lacks.

    The same fields always make the same key, so a batch that is sent again is known again.
    """
    try:
        value = _CANONICAL.decode(body.decode())
    except (ValueError, RecursionError):
        return None
    made = hmac.new(secret, b"derived key", hashlib.sha256)
    for pointer in pointers:
        found = at(value, pointer)
        if found is None:
            return None
        text = ascii(found).encode()
        made.update(b"%d:%b" % (len(text), text))
    return "derived-" + made.hexdigest()[:40]


def field_texts(body: bytes, pointers: Iterable[str]) -> list[str]:
    """The texts and numbers of a JSON body that pointers lead to."""
    try:
        value = parse(body)
    except (ValueError, RecursionError):
        return []
    found = (at(value, pointer) for pointer in pointers)
    return [str(each) for each in found if isinstance(each, str)]


def _remove(value: Any, pointer: str) -> None:
    *above, last = parts(pointer)
    for part in above:
        if not isinstance(value, dict):
            return
        value = value.get(part)
    if isinstance(value, dict):
        value.pop(last, None)

"""PURE. What of a partner's answer may be stored: never a card's secrets.

The names of members that must not be kept (cvv, track, pin ...) are compared
without regard to case, `-` and `_`. A member with such a name is cut out of the
bytes of a JSON or form body, and every other byte stays. Where a name occurs in
a body that cannot be read so surely, the whole answer is not stored: its replay
says that the call was executed, and not what the partner said.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from proxy.idempotency.json_cut import texts, without_members
from proxy.model.message import Response

DECODED_BYTES_MAX = 16 * 1024 * 1024
_LOWER = bytes(range(256)).lower()
_PARTS = re.compile(rb"[\[\].]")
_FORM = b"application/x-www-form-urlencoded"
_FORM_TEXT = re.compile(r"[\w.\[\]%+-]+=[^&?\s]*(?:&[\w.\[\]%+-]+=[^&?\s]*)*")
_CODINGS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}


class Unstorable(ValueError):
    """Nothing of the body can be stored."""


class Hygiene:
    """Knows the names, and what of an answer may be stored."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(_plain(name.encode()) for name in names)
        self._seek = sorted(
            name
            for name in self._names
            if not any(other in name for other in self._names if other != name)
        )
        """Where none of these occurs, no name does."""
        loose = b"|".join(b"[-_]?".join(bytes([each]) for each in name) for name in self._names)
        tag, name = rb"<(?:[\w.-]+:)?(?:%b)[\s/>]" % loose, rb"(?<![a-z0-9])(?:%b)" % loose
        self._nested = re.compile(rb"%b|%b\\*[\"']\s*:" % (tag, name))
        """JSON or XML within a text, written with escapes or without."""
        self._tagged = re.compile(
            rb"%b|%b(?:\\*[\"'])?\s*[=:>]|=\\*[\"'](?:%b)\\*[\"']" % (tag, name, loose)
        )
        """A name with a value, in whatever form."""

    def storable(self, answer: Response) -> Response | None:
        """The answer as it may be stored: the same one, one with less, or None for nothing."""
        if not self._names:
            return answer
        content_type, coding = _fields(answer)
        try:
            body = _decoded(answer.body, coding) if coding else answer.body
            form = content_type == _FORM
            kept = self._cut(body, form=form) if form or self._occurs(body) else body
        except Unstorable:
            return None
        if kept is body:
            return answer
        headers = [each for each in answer.headers if each[0] != b"content-encoding"]
        return replace(answer, headers=headers, body=kept)

    def _occurs(self, body: bytes) -> bool:
        """Whether a name may be in it: no for nearly all bodies, and in no time."""
        plain = _plain(body)
        for name in self._seek:
            if name in plain:
                return True
        return b"\\u00" in plain

    def _cut(self, body: bytes, *, form: bool) -> bytes:
        if form:
            return self._cut_form(body)
        try:
            json.loads(body.decode())
        except (ValueError, RecursionError):
            if b"\0" in body or self._tagged.search(body.lower()):
                raise Unstorable from None
            return body
        kept = without_members(body, self._is_unwanted)
        try:
            nested = any(self._is_nested(text) for text in texts(kept))
        except RecursionError:  # the first look went as deep as there is room
            nested = True
        if nested:
            raise Unstorable
        return kept

    def _cut_form(self, body: bytes) -> bytes:
        pairs = body.split(b"&")
        kept = [pair for pair in pairs if not self._is_field(pair.partition(b"=")[0])]
        return body if len(kept) == len(pairs) else b"&".join(kept)

    def _is_field(self, written: bytes) -> bool:
        """Also `card[cvv]` and `card.cvv`."""
        parts = _PARTS.split(unquote_to_bytes(written))
        return any(_plain(part.strip(b" +")) in self._names for part in parts)

    def _is_unwanted(self, name: str) -> bool:
        return _plain(_bytes(name)) in self._names

    def _is_nested(self, text: str) -> bool:
        """Whether a text is itself a document that has such a member."""
        octets = _bytes(text)
        if self._nested.search(octets.lower()):
            return True
        return bool(_FORM_TEXT.fullmatch(text)) and self._cut_form(octets) is not octets


def plain_body(answer: Response) -> bytes:
    """The answer's body as it was before its content coding. Raises Unstorable."""
    _, coding = _fields(answer)
    return _decoded(answer.body, coding) if coding else answer.body


def _plain(text: bytes) -> bytes:
    """Names compared alike; the zero bytes of UTF-16 do not hide one."""
    return text.translate(_LOWER, b"-_\0")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _fields(answer: Response) -> tuple[bytes, bytes]:
    """Content type and content coding, in lower case."""
    content_type = coding = b""
    for key, _, value in answer.headers:
        if key == b"content-type":
            content_type = value.partition(b";")[0].strip().lower()
        elif key == b"content-encoding":
            coding += value.strip().lower()
    return content_type, b"" if coding == b"identity" or not answer.body else coding


def _decoded(body: bytes, coding: bytes) -> bytes:
    """The body as it was before its content coding. Raises Unstorable."""
    if coding not in _CODINGS:
        raise Unstorable
    reader = zlib.decompressobj(_CODINGS[coding])
    try:
        decoded = reader.decompress(body, DECODED_BYTES_MAX)
    except zlib.error:
        raise Unstorable from None
    if not reader.eof or reader.unused_data:
        raise Unstorable
    return decoded

"""PURE. Cuts members out of the bytes of a JSON text; every other byte stays as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_OPEN, _SHUT = (b"{", b"["), (b"}", b"]")
_Tokens = list[re.Match[bytes]]


def without_members(body: bytes, unwanted: Callable[[str], bool]) -> bytes:
    """The text without the members, at any depth, whose names are unwanted.

    The very same bytes if there are none. `body` must be known to be JSON in UTF-8.
    """
    tokens = list(_TOKEN.finditer(body))
    cuts: list[tuple[int, int]] = []
    commas: list[int | None] = []
    """For each object or array that is open: where the comma before the member is, if any stays."""
    at = 0
    while at < len(tokens):
        token = tokens[at].group()
        if token in _OPEN:
            commas.append(None)
        elif token in _SHUT:
            commas.pop()
        elif token == b",":
            commas[-1] = tokens[at].start()
        elif _is_name(tokens, at) and unwanted(json.loads(token)):
            cut, at = _cut(tokens, at, commas[-1])
            cuts.append(cut)
        at += 1
    return _without(body, cuts)


def texts(body: bytes) -> Iterator[str]:
    """The texts among the values of a JSON text."""
    left = [json.loads(body)]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)


def _is_name(tokens: _Tokens, at: int) -> bool:
    return at + 1 < len(tokens) and tokens[at + 1].group() == b":"


def _cut(tokens: _Tokens, at: int, comma: int | None) -> tuple[tuple[int, int], int]:
    """The range of a member with one comma, and the index of its last token."""
    behind = _behind_value(tokens, at + 2)
    if tokens[behind].group() == b",":
        return (tokens[at].start(), tokens[behind + 1].start()), behind
    begin = tokens[at].start() if comma is None else comma
    return (begin, tokens[behind - 1].end()), behind - 1


def _behind_value(tokens: _Tokens, at: int) -> int:
    """The index of the token behind the value that begins there."""
    depth = 0
    while True:
        token = tokens[at].group()
        depth += (token in _OPEN) - (token in _SHUT)
        at += 1
        if depth == 0:
            return at


def _without(body: bytes, cuts: list[tuple[int, int]]) -> bytes:
    """The body without these ranges, of which a later one may cover earlier ones."""
    if not cuts:
        return body
    kept, at = [], len(body)
    for begin, end in reversed(cuts):
        if begin < at:
            kept.append(body[end:at])
            at = begin
    return b"".join([body[:at], *reversed(kept)])

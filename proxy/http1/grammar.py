"""PURE. What both heads have in common: llhttp's judgement, and headers of the connection.

llhttp (httptools) judges every head, and refuses most of what is ambiguous:
bare line feeds, folded lines, spaces before colons, control bytes, both or
double framing headers. A fresh parser judges each head alone, and bodies are
cut by our own framing, so that llhttp's quirks about `Upgrade` (it drops the
body) and HEAD never matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

import httptools

DIGITS = re.compile(rb"[0-9]{1,15}")
"""A length: more digits are no length that anybody sends."""
NO_TOKENS: frozenset[bytes] = frozenset()


class _Collector:
    """Where httptools reports the headers of one head: (name, value), as they stand."""

    __slots__ = ("on_header",)

    def __init__(self, on_header: Callable[[bytes, bytes], object]) -> None:
        self.on_header = on_header


_Parser = type[httptools.HttpRequestParser] | type[httptools.HttpResponseParser]


def fields(parser: _Parser, block: bytes) -> Collection[tuple[bytes, bytes]] | None:
    """(name, value) of each header in order; None when llhttp refuses the head.

    A dictionary's own method collects them, which costs no Python frame for
    each. It keeps one value for each spelling of a name, so when there are
    fewer names than lines, the head is read again into a list.
    """
    names: dict[bytes, bytes] = {}
    if not _judge(parser, names.setdefault, block):
        return None
    if len(names) == block.count(b"\r\n") - 2:
        return names.items()
    pairs: list[tuple[bytes, bytes]] = []
    _judge(parser, lambda name, value: pairs.append((name, value)), block)
    return pairs


def _judge(parser: _Parser, on_header: Callable[[bytes, bytes], object], block: bytes) -> bool:
    """Whether llhttp accepts the head; each with a fresh parser."""
    try:
        parser(_Collector(on_header)).feed_data(block)
    except httptools.HttpParserUpgrade:
        return True  # an offer to change protocols is not taken up; the head counts as it stands
    except httptools.HttpParserError:
        return False
    return True


def note(spoken: dict[bytes, bytes], key: bytes, value: bytes) -> None:
    """Keep a header that belongs to the connection.

    One that comes twice is joined by a comma, as RFC 9110 5.3 reads it: no
    host, length or coding has a comma, so what is doubled is refused by its
    own grammar. White space behind a value, which llhttp leaves on it, is no
    part of it (RFC 9110 5.5).
    """
    value = value.rstrip(b" \t")
    earlier = spoken.get(key)
    spoken[key] = value if earlier is None else earlier + b"," + value


def tokens(spoken: dict[bytes, bytes]) -> frozenset[bytes]:
    """The tokens of Connection, in lower case; `keep-alive` alone says nothing on HTTP/1.1."""
    value = spoken[b"connection"]
    if value == b"keep-alive":
        return NO_TOKENS
    return frozenset(token.strip().lower() for token in value.split(b","))

"""PURE. What both heads have in common: llhttp's judgement, and headers of the connection.

llhttp (httptools) judges every header line, and refuses most of what is ambiguous:
bare line feeds, folded lines, spaces before colons, control bytes. It sees header
lines and nothing else, and bodies are cut by our own framing, so that llhttp's
quirks about `Upgrade` (it drops the body) and HEAD never matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import httptools

from proxy.model.message import Header

DIGITS = re.compile(rb"[0-9]{1,15}")
"""A length: more digits are no length that anybody sends."""
NO_TOKENS: frozenset[bytes] = frozenset()


_REPEATED = frozenset(
    (
        b"accept", b"accept-encoding", b"accept-language", b"alt-svc", b"cache-control",
        b"connection", b"content-length", b"content-type", b"date", b"expires", b"host",
        b"keep-alive", b"pragma", b"server", b"strict-transport-security", b"transfer-encoding",
        b"user-agent", b"vary", b"via", b"x-content-type-options", b"x-frame-options",
    )
)  # fmt: skip
"""Names whose lines come again and again and carry no secret and no card number."""
_KEPT_MAX = 4096
_KEPT_BYTES_MAX = 256
"""Of one line."""


class _Collector:
    """Where httptools reports the headers of one head: (name, value), as they stand."""

    __slots__ = ("on_header",)

    def __init__(self, on_header: Callable[[bytes, bytes], object]) -> None:
        self.on_header = on_header


_Parser = type[httptools.HttpRequestParser] | type[httptools.HttpResponseParser]


class Lines:
    """Judges header lines, each by itself; those that come again and again only once.

    What makes a line good or bad is in the line: whatever depends on its
    neighbours (framing, one Host) is judged by our own grammar afterwards.
    """

    __slots__ = ("_first", "_parser", "kept")

    def __init__(self, parser: _Parser, first: bytes) -> None:
        self._parser = parser
        self._first = first
        """A start line that llhttp accepts; the real one is judged by a grammar of ours."""
        self.kept: dict[bytes, Header] = {}

    def read(self, block: bytes) -> list[Header] | None:
        """The headers of a whole head, in order; None when llhttp refuses one of its lines."""
        lines = block.split(b"\r\n")
        recall = self.kept.get
        found = [recall(line) for line in lines[1:-2]]
        if None not in found:
            return found  # type: ignore[return-value] # mypy cannot see that none is None
        unknown = [line for line in lines[1:-2] if line not in self.kept]
        judged = self._judge_all(unknown)
        if judged is None:
            return None
        fresh = iter(judged)
        return [next(fresh) if header is None else header for header in found]

    def _judge_all(self, lines: list[bytes]) -> list[Header] | None:
        """All at once if llhttp likes them together, else one by one."""
        pairs = self._ask(lines)
        if pairs is None or len(pairs) != len(lines):
            each = [self._ask([line]) for line in lines]
            pairs = [pair[0] for pair in each if pair is not None and len(pair) == 1]
            if len(pairs) != len(lines):
                return None
        headers = [(name.lower(), name, value.rstrip(b" \t")) for name, value in pairs]
        for line, header in zip(lines, headers, strict=True):
            if header[0] in _REPEATED and len(line) <= _KEPT_BYTES_MAX:
                self._keep(line, header)
        return headers

    def _keep(self, line: bytes, header: Header) -> None:
        if len(self.kept) >= _KEPT_MAX:
            self.kept.clear()  # the few that matter are back after a few messages
        self.kept[line] = header

    def _ask(self, lines: list[bytes]) -> list[tuple[bytes, bytes]] | None:
        """(name, value) of each line; None when llhttp refuses."""
        pairs: list[tuple[bytes, bytes]] = []
        collector = _Collector(lambda name, value: pairs.append((name, value)))
        try:
            self._parser(collector).feed_data(b"\r\n".join((self._first, *lines, b"", b"")))
        except httptools.HttpParserUpgrade:
            return pairs  # an offer to change protocols is not taken up; the lines are good
        except httptools.HttpParserError:
            return None
        return pairs


def note(spoken: dict[bytes, bytes], key: bytes, value: bytes) -> None:
    """Keep a header that belongs to the connection.

    One that comes twice is joined by a comma, as RFC 9110 5.3 reads it: no
    host, length or coding has a comma, so what is doubled is refused by its
    own grammar.
    """
    earlier = spoken.get(key)
    spoken[key] = value if earlier is None else earlier + b"," + value


def tokens(spoken: dict[bytes, bytes]) -> frozenset[bytes]:
    """The tokens of Connection, in lower case; `keep-alive` alone says nothing on HTTP/1.1."""
    value = spoken[b"connection"]
    if value == b"keep-alive":
        return NO_TOKENS
    return frozenset(token.strip().lower() for token in value.split(b","))

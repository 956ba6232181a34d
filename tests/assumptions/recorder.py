"""Feeds bytes to an httptools parser and tells what it reported, and how it judged them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import httptools

Parser = type[httptools.HttpRequestParser] | type[httptools.HttpResponseParser]

ACCEPTED = "accepted"
REFUSED = "refused"
UPGRADED = "upgraded"


@dataclass(slots=True)
class Recorder:
    """What the parser reported; fragments of one value are joined, as users must do."""

    callbacks: int = 0
    messages_begun: int = 0
    messages_complete: int = 0
    url: bytes = b""
    phrase: bytes = b""
    body: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    trailers: list[tuple[bytes, bytes]] = field(default_factory=list)
    headers_ended: bool = False

    def on_message_begin(self) -> None:
        self.callbacks += 1
        self.messages_begun += 1
        self.headers_ended = False

    def on_url(self, url: bytes) -> None:
        self.callbacks += 1
        self.url += url

    def on_status(self, phrase: bytes) -> None:
        self.callbacks += 1
        self.phrase += phrase

    def on_header(self, name: bytes, value: bytes) -> None:
        self.callbacks += 1
        (self.trailers if self.headers_ended else self.headers).append((name, value))

    def on_headers_complete(self) -> None:
        self.callbacks += 1
        self.headers_ended = True

    def on_body(self, body: bytes) -> None:
        self.callbacks += 1
        self.body += body

    def on_chunk_header(self) -> None:
        self.callbacks += 1

    def on_message_complete(self) -> None:
        self.callbacks += 1
        self.messages_complete += 1


@dataclass(slots=True)
class Judgement:
    """What became of some bytes; `version` is what the parser says, `error` what it raised."""

    verdict: str
    seen: Recorder
    version: str
    error: Exception | None = None


def judge(pieces: Iterable[bytes], parser_type: Parser) -> Judgement:
    """Feed a fresh parser piece by piece until it refuses, leaves HTTP, or has had all."""
    seen = Recorder()
    parser = parser_type(seen)
    try:
        for piece in pieces:
            parser.feed_data(piece)
    except httptools.HttpParserUpgrade as error:
        return Judgement(UPGRADED, seen, parser.get_http_version(), error)
    except httptools.HttpParserError as error:
        return Judgement(REFUSED, seen, parser.get_http_version(), error)
    return Judgement(ACCEPTED, seen, parser.get_http_version())


def judge_everyhow(data: bytes, parser_type: Parser) -> Judgement:
    """Judge `data` whole, cut in two at every byte, and byte by byte: it must not matter."""
    whole = judge([data], parser_type)
    for cut in range(1, len(data)):
        halves = judge([data[:cut], data[cut:]], parser_type)
        assert halves.verdict == whole.verdict, f"cut at {cut}"
    single = judge((data[at : at + 1] for at in range(len(data))), parser_type)
    assert single.verdict == whole.verdict
    if whole.verdict == ACCEPTED:
        single.seen.callbacks = whole.seen.callbacks
        assert single.seen == whole.seen
    return whole

"""Requests with exactly one offence, each named, with the statuses it may be answered with.

An offence carries the canary wherever it can carry bytes, so that a reply that
repeats them is caught.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from loadtests.fuzz import limits
from loadtests.fuzz.draft import Draft, chunk

CANARY = limits.CANARY
Edit = Callable[[random.Random, Draft], "bytes | None"]
"""Damages the draft in place; or returns the bytes to send instead of rendering it."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One way to be unacceptable. `closes` false: the connection may live on."""

    name: str
    statuses: frozenset[int]
    edit: Edit
    closes: bool = True


DEFECTS: list[Defect] = []


def defect(name: str, *statuses: int, closes: bool = True) -> Callable[[Edit], Edit]:
    """Register an edit under a name."""

    def register(edit: Edit) -> Edit:
        DEFECTS.append(Defect(name, frozenset(statuses), edit, closes))
        return edit

    return register


def simple(name: str, statuses: set[int], change: Callable[[Draft], object]) -> None:
    """Register an edit that needs no chance."""

    def edit(_rng: random.Random, draft: Draft) -> None:
        change(draft)

    DEFECTS.append(Defect(name, frozenset(statuses), edit))


def _append(header: tuple[bytes, bytes, bytes], draft: Draft) -> None:
    draft.headers.append(header)


def _frame(headers: list[tuple[bytes, bytes]], draft: Draft) -> None:
    """These framing headers and no other, before 15 bytes that read as chunks as well."""
    draft.framing = "none"
    draft.method = b"POST"
    for name, value in headers:
        draft.add(name, value)
    draft.body = b"5\r\nhello\r\n0\r\n\r\n"


def header_defects() -> None:
    """Offences of a header line as such."""
    add: list[tuple[str, bytes, bytes, bytes]] = [
        ("underscore in a name", b"X_Card", b": ", CANARY),
        ("underscored length", b"Content_Length", b": ", b"5"),
        ("space before the colon", b"X-Card", b" : ", CANARY),
        ("tab before the colon", b"X-Card", b"\t: ", CANARY),
        ("empty name", b"", b": ", CANARY),
        ("no colon", b"X-Card", b" ", CANARY),
        ("NUL in a value", b"X-Card", b": ", CANARY + b"\0"),
        ("control byte in a value", b"X-Card", b": ", CANARY + b"\x12"),
        ("DEL in a value", b"X-Card", b": ", CANARY + b"\x7f"),
        ("0x80 in a value", b"X-Card", b": ", CANARY + b"\x80"),
        ("UTF-8 in a value", b"X-Card", b": ", CANARY + b"\xc3\xa9"),
        ("bare CR in a value", b"X-Card", b": ", CANARY + b"\rX: y"),
        ("bare LF in a value", b"X-Card", b": ", CANARY + b"\nX: y"),
        ("folded line", b"X-Card", b": ", b"1\r\n " + CANARY),
        ("folded line with a tab", b"X-Card", b": ", b"1\r\n\t" + CANARY),
        ("control byte in a name", b"X-\x12" + CANARY, b": ", b"1"),
        ("separator in a name", b"X(" + CANARY + b")", b": ", b"1"),
        ("non-ASCII in a name", b"X-\xe9" + CANARY, b": ", b"1"),
        ("quoted name", b'"' + CANARY + b'"', b": ", b"1"),
    ]
    for name, key, separator, value in add:
        simple(name, {400}, partial(_append, (key, separator, value)))


def framing_defects() -> None:
    """Offences about where the message ends: what request smuggling is made of."""
    length, coding = b"Content-Length", b"Transfer-Encoding"
    cases: list[tuple[str, set[int], list[tuple[bytes, bytes]]]] = [
        ("length and chunked", {400}, [(length, b"5"), (coding, b"chunked")]),
        ("chunked and length", {400}, [(coding, b"chunked"), (length, b"15")]),
        ("two equal lengths", {400}, [(length, b"15"), (length, b"15")]),
        ("two lengths", {400}, [(length, b"15"), (length, b"5")]),
        ("list of lengths", {400}, [(length, b"15, 15")]),
        ("signed length", {400}, [(length, b"+15")]),
        ("negative length", {400}, [(length, b"-1")]),
        ("hexadecimal length", {400}, [(length, b"0xf")]),
        ("empty length", {400}, [(length, b"")]),
        ("length with a space", {400}, [(length, b"1 5")]),
        ("fractional length", {400}, [(length, b"15.0")]),
        ("length out of every range", {400, 413}, [(length, b"9" * 30)]),
        ("length no number", {400}, [(length, CANARY + b"x")]),
        ("coding xchunked", {400, 501}, [(coding, b"xchunked")]),
        ("coding identity", {400, 501}, [(coding, b"identity")]),
        ("gzip, chunked", {400, 501}, [(coding, b"gzip, chunked")]),
        ("chunked, gzip", {400, 501}, [(coding, b"chunked, gzip")]),
        ("chunked, chunked", {400, 501}, [(coding, b"chunked, chunked")]),
        ("chunked twice", {400}, [(coding, b"chunked"), (coding, b"chunked")]),
        ("empty coding", {400, 501}, [(coding, b"")]),
        ("quoted coding", {400, 501}, [(coding, b'"chunked"')]),
        ("coding with a parameter", {400, 501}, [(coding, b"chunked;q=" + CANARY)]),
        ("coding unknown", {400, 501}, [(coding, CANARY)]),
        ("vertical tab before chunked", {400}, [(coding, b"\x0bchunked")]),
        ("length over the bound", {413}, [(length, b"%d" % (limits.BODY_BYTES_MAX * 3))]),
    ]
    for name, statuses, headers in cases:
        simple(name, statuses, partial(_frame, headers))


def chunk_defects() -> None:
    """Offences inside a chunked body."""
    cases: list[tuple[str, bytes]] = [
        ("chunk size no number", CANARY + b"g\r\nhello\r\n0\r\n\r\n"),
        ("chunk size empty", b"\r\nhello\r\n0\r\n\r\n"),
        ("chunk size with a sign", b"+5\r\nhello\r\n0\r\n\r\n"),
        ("chunk size with 0x", b"0x5\r\nhello\r\n0\r\n\r\n"),
        ("space before the chunk size", b" 5\r\nhello\r\n0\r\n\r\n"),
        ("space behind the chunk size", b"5 \r\nhello\r\n0\r\n\r\n"),
        ("bare LF behind the chunk size", b"5\nhello\r\n0\r\n\r\n"),
        ("bare LF behind the chunk", b"5\r\nhello\n0\r\n\r\n"),
        ("chunk longer than its size", b"3\r\nhello\r\n0\r\n\r\n"),
        ("bare LF in an extension", b"5;a=" + CANARY + b"\nhello\r\n0\r\n\r\n"),
        ("control byte in an extension", b"5;a=\x01" + CANARY + b"\r\nhello\r\n0\r\n\r\n"),
        ("endless extension", b"5;" + CANARY * 40 + b"\r\nhello\r\n0\r\n\r\n"),
        ("extension without end", b"5;" + CANARY * 400),
        ("trailer", b"5\r\nhello\r\n0\r\nX-Card: " + CANARY + b"\r\n\r\n"),
        ("forbidden trailer", b"5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n"),
        ("bare LF at the end", b"5\r\nhello\r\n0\r\n\n"),
        ("chunk size of 17 digits", b"F" * 17 + b"\r\nhello\r\n0\r\n\r\n"),
    ]
    for name, body in cases:
        simple(name, {400, 413, 431}, partial(_chunked, body))
    over = chunk(b"x" * 8000) * 3
    simple("chunks over the bound", {413}, partial(_chunked, over))
    huge = b"7fffffff\r\nhello"
    simple("chunk size over the bound", {413}, partial(_chunked, huge))


def _chunked(body: bytes, draft: Draft) -> None:
    draft.method = b"POST"
    draft.put_body("chunked", b"")
    draft.last_chunk = body


header_defects()
framing_defects()
chunk_defects()

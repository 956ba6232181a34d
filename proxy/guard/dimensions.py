"""PURE. From a request to the values that tell its slice: lower case, short, few, no card number.

    what is said                                        value
    nothing, an empty text, a body that is unreadable   none
    a text of letters, digits, - and _, or blanks (_)   the text in lower case
    anything else, or six digits and more               other
    a new value where there are `values_max` already    other

So a pointer that was set to a card number by mistake writes it nowhere, and the
number of slices is bounded, whatever applications send. A body is read at most
once for a call, whole and by the C parser, and only up to `BODY_BYTES_MAX`. What
the journal reads of a body is read apart: it keeps numbers as they are written and
members in order, at several times the cost, below the choice of candidates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from proxy.guard.bins import Bins, scheme
from proxy.model.dimension import NONE, OTHER, Dimension, Source
from proxy.model.message import Request

BODY_BYTES_MAX = 65_536
"""Reading more would keep everybody waiting for longer than a slice is worth: 0.5 ms."""
_VALUE = re.compile(r"[a-z0-9_-]{1,32}")
_TEXT_KEPT_MAX = 64
"""A value has 32 characters; blanks around it, as many as a body has room for, are not kept."""
_DIGITS_MAX = 5
"""Currencies and categories of merchants have fewer, card numbers, BINs and references more."""
_DECODER = json.JSONDecoder()

Read = Callable[[Request, Any], str | None]
"""The text in a request, given its JSON body; None: nothing is said."""


def value_of(text: str) -> str:
    """A text as a value, or `none` or `other`."""
    plain = text.strip().lower().replace(" ", "_")
    if not plain:
        return NONE
    if _VALUE.fullmatch(plain) is None or sum(map(str.isdigit, plain)) > _DIGITS_MAX:
        return OTHER
    return plain


class _Values:
    """The values of one dimension that are kept apart."""

    __slots__ = ("_fixed", "_known", "_max", "_texts")

    def __init__(self, dimension: Dimension) -> None:
        self._fixed = bool(dimension.values)
        self._known = set(dimension.values)
        self._max = dimension.values_max
        self._texts: dict[str, str] = {}
        """Texts as they are written, of known values only, so that most cost one look."""

    def of(self, text: str | None) -> str:
        if text is None:
            return NONE
        found = self._texts.get(text)
        return self._new(text) if found is None else found

    def _new(self, text: str) -> str:
        value = value_of(text)
        if value in (NONE, OTHER):
            return value
        if value not in self._known:
            if self._fixed or len(self._known) >= self._max:
                return OTHER
            self._known.add(value)
        if len(self._texts) < 2 * self._max and len(text) <= _TEXT_KEPT_MAX:
            self._texts[text] = value
        return value


class Reader:
    """Reads the dimensions of one route's calls, in their order."""

    def __init__(self, sources: tuple[Dimension, ...]) -> None:
        self._parts = tuple((_read(each), _Values(each)) for each in sources)
        self._json = any(_is_pointer(each) for each in sources)

    def read(self, request: Request) -> tuple[str, ...]:
        """One value for each dimension."""
        body = _json_of(request.body) if self._json else None
        return tuple([values.of(read(request, body)) for read, values in self._parts])


def _is_pointer(dimension: Dimension) -> bool:
    return dimension.source is Source.POINTER or (
        dimension.source is Source.BIN and dimension.where.startswith("/")
    )


def _json_of(body: bytes) -> Any:
    if body[:1] not in (b"{", b"[", b" ", b"\n", b"\r", b"\t") or len(body) > BODY_BYTES_MAX:
        return None
    try:
        return _DECODER.decode(body.decode())
    except (ValueError, RecursionError):
        return None


def _read(dimension: Dimension) -> Read:
    """How a dimension's text is read."""
    if dimension.source is Source.HEADER:
        key = dimension.where.encode()
        return lambda request, _: _header(request, key)
    if _is_pointer(dimension):
        read = _pointed(dimension.where)
    else:
        field = dimension.where
        read = lambda request, _: _form(request.body, field)  # noqa: E731 - one of three alike
    if dimension.source is Source.BIN:
        own = Bins(dimension.ranges) if dimension.ranges else None
        return lambda request, body: _scheme(read(request, body), own)
    return read


def _scheme(number: str | None, own: Bins | None) -> str | None:
    return None if number is None else scheme(number, own)


def _header(request: Request, key: bytes) -> str | None:
    found = request.first(key)
    return None if found is None else found.decode("latin-1")


def _pointed(pointer: str) -> Read:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]

    def read(_: Request, value: Any) -> str | None:
        for part in parts:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            else:
                return None
        if value is None or isinstance(value, str):
            return value
        return str(value) if isinstance(value, int) else ""

    return read


def _form(body: bytes, field: str) -> str | None:
    """A field of an urlencoded body; the first of that name."""
    if len(body) > BODY_BYTES_MAX:
        return None
    for pair in body.split(b"&"):
        name, found, value = pair.partition(b"=")
        if found and unquote_plus(name.decode("latin-1")) == field:
            return unquote_plus(value.decode("latin-1"))
    return None

"""PURE. JSON pointers (RFC 6901) into bodies, with every number as it was written.

One reading for whoever looks into a body: the journal that remembers a reference
and the route that finds a payment by it must see the same text.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

_NAMED_MAX = 255
_FIELDS_MAX = 1000


class Number(str):
    """A number as it was written."""

    __slots__ = ()


class _Repeated(ValueError):
    """A member stands twice: parsers disagree about which one counts."""


def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members. Raises ValueError for one that stands twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Repeated
    return found


_DECODER = json.JSONDecoder(
    parse_int=Number,
    parse_float=Number,
    parse_constant=Number,
    object_pairs_hook=members,
)
"""Made once: making it costs as much as reading a small body."""


def parse(body: bytes) -> Any:
    """JSON with numbers as written. Raises ValueError, also for a member that stands twice."""
    return _DECODER.decode(body.decode())


def parts(pointer: str) -> list[str]:
    """The steps of a pointer."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def at(value: Any, pointer: str) -> Any:
    """What a pointer leads to, or None."""
    for part in parts(pointer):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def name_at(body: bytes, pointer: str) -> str:
    """The text or number in a body that can be a name; empty where there is none.

    The body is JSON, or a form whose fields are the pointer's one step
    (`/payment_intent`). What is not sure, is none: a name that stands twice, is
    long, or has characters that nobody prints.
    """
    try:
        value = at(parse(body), pointer) if body[:1] in (b"{", b"[") else _field(body, pointer)
    except (ValueError, RecursionError):
        return ""
    return usable(value) if isinstance(value, str) else ""


def usable(name: str) -> str:
    """The name, or nothing where it is none that could be told from another."""
    return name if len(name) <= _NAMED_MAX and name.isprintable() else ""


def only(pairs: bytes, name: str) -> str:
    """The value of a name that stands once in a query or form. Raises ValueError."""
    fields = parse_qsl(pairs.decode("ascii"), max_num_fields=_FIELDS_MAX, errors="strict")
    found = [value for key, value in fields if key == name]
    return found[0] if len(found) == 1 else ""


def _field(body: bytes, pointer: str) -> str:
    steps = parts(pointer)
    return only(body, steps[0]) if len(steps) == 1 else ""

"""How calls that belong to an earlier payment find its partner."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, NamedTuple

from proxy.model.affinity import Otherwise
from proxy.settings.base import Model, key
from proxy.settings.headers import parse_header_name
from proxy.settings.kinds import Name, Pointer, parse_pointer
from proxy.settings.network import parse_path
from proxy.settings.problems import Wrong
from proxy.settings.scalars import one_of, text

NAME = "{name}"
"""Stands for one segment of a path."""
_BEGINNING = re.compile(r"[!-~]{1,64}")
_FIELD = re.compile(r"[ -~]{1,64}")


class Place(NamedTuple):
    """Where a request names its payment: the kind of place, and where it is there."""

    kind: str
    at: str


def _path(written: str) -> str:
    segments = written.split("/")
    if segments.count(NAME) != 1 or written.count("{") != 1:
        raise Wrong("does not say where the name stands", f"make {NAME} one segment of the path")
    parse_path(written.replace(NAME, "x"))
    return written


def _field(written: str) -> str:
    if _FIELD.fullmatch(written) is None:
        raise Wrong("is not a field of a query", "use 1 to 64 characters of ASCII")
    return written


_KINDS: Mapping[str, Callable[[str], str]] = {
    "pointer": parse_pointer,
    "header": parse_header_name,
    "query": _field,
    "path": _path,
}


def _place(written: str) -> Place:
    kind, separator, at = written.partition(":")
    if not separator or kind not in _KINDS:
        remedy = "write pointer:/id, header:NAME, query:FIELD or path:/charges/{name}/capture"
        raise Wrong("is no place of a request", remedy)
    return Place(kind, _KINDS[kind](at))


def _beginning(written: str) -> str:
    if _BEGINNING.fullmatch(written) is None:
        raise Wrong("is not the beginning of a name", "use 1 to 64 visible characters, such as pi_")
    return written


PlaceText = Annotated[Place, text(_place, pattern=r"^(pointer|header|query|path):|\$\{")]
Beginning = Annotated[str, text(_beginning)]
OtherwiseWord = Annotated[Otherwise, one_of({each.value: each for each in Otherwise})]


class Remember(Model):
    """What the journal keeps of a route's calls, as keyed digests."""

    group: Name = key("payments", "names are found within it")
    reference: Pointer | None = key(None, "JSON pointer to the application's name in the request")
    payment: Pointer | None = key(None, "JSON pointer to the partner's name in the answer")


class Follow(Model):
    """How a route's calls find the partner of their payment."""

    group: Name = key("payments", "where it is looked up")
    payment: PlaceText | None = key(
        None, "where the request has the partner's name of it: pointer:, header:, query: or path:"
    )
    reference: PlaceText | None = key(None, "where it has the application's name of it")
    prefixes: dict[Beginning, Name] = key({}, "how a partner's names begin, and the partner")
    otherwise: OtherwiseWord = key(
        "refuse", "refuse or first: where a call goes whose payment nobody knows"
    )


class Affinity(Model):
    """A route's part in keeping a payment with the partner that authorised it."""

    remember: Remember | None = key(None, "of calls that others will follow")
    follow: Follow | None = key(None, "for calls that belong to an earlier payment")

"""PURE. Which payment a request names, and whose it is.

What is not sure, is none: a header or query field that stands twice, a path that
does not match, a member that stands twice. Escapes in path and query are read, as
partners read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from proxy.model.affinity import PLACES_MAX, Follow, Place, Source
from proxy.model.message import Request
from proxy.model.outcome import Origin, Refused
from proxy.model.pointer import name_at, only, usable
from proxy.model.route import Candidate

_LEAVE = "Nothing was sent: at another partner it would be denied, or hit another payment."
UNKNOWN = Refused(
    "affinity_unknown", 409,
    f"Nobody knows which partner has the payment that this call belongs to. {_LEAVE}",
)  # fmt: skip
AMBIGUOUS = Refused(
    "affinity_ambiguous", 409,
    f"Several partners have a payment by the name that this call gives. {_LEAVE}",
)  # fmt: skip
UNREAD = Refused(
    "journal_unavailable", 503,
    "The journal cannot be read, so nobody knows which partner has the payment of this call.",
    Origin.PROXY, retry_after_s=1,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Where alone a call may go, and why; if nowhere, the refusal."""

    candidates: tuple[Candidate, ...]
    why: str = ""
    refusal: Refused | None = None


def name_in(request: Request, source: Source) -> str:
    """The payment's name, empty where there is none."""
    path, _, query = request.target.partition(b"?")
    try:
        if source.path:
            return _from_path(path, source.path)
        if source.query:
            return usable(only(query, source.query))
        if source.header:
            return usable(_from_header(request, source.header))
    except ValueError:
        return ""
    return name_at(request.body, source.pointer)


def by_beginning(follow: Follow, payment: str) -> str:
    """The partner whose payments' names begin so, or none."""
    if not payment:
        return ""
    return next((whose for begins, whose in follow.partners if payment.startswith(begins)), "")


def narrow(candidates: tuple[Candidate, ...], partner: str, why: str,
           upstreams: Sequence[str] = ()) -> Narrowed:  # fmt: skip
    """The partner's own among the candidates, those where the payment was made first."""
    mine = [each for each in candidates if each.upstream.partner == partner]
    if not mine:
        return Narrowed((), why, _elsewhere(partner))
    mine.sort(key=lambda each: each.upstream.name not in upstreams)
    return Narrowed(tuple(mine), why)


def by_places(
    candidates: tuple[Candidate, ...], places: Sequence[Place], what: str
) -> Narrowed | None:
    """What calls by one name, `what`, come to; None where there are none."""
    partners = {partner for partner, _ in places}
    if not partners:
        return None
    if len(partners) > 1 or len(places) >= PLACES_MAX:
        return Narrowed((), "", AMBIGUOUS)
    upstreams = [upstream for _, upstream in places]
    (partner,) = partners
    return narrow(candidates, partner, f"{what} is known at {upstreams[0]}", upstreams)


def _elsewhere(partner: str) -> Refused:
    return Refused(
        "affinity_elsewhere", 503,
        f"The payment that this call belongs to is at {partner}, where this route may not go: "
        "it is no candidate of the route, or operators have forced the route away.",
        Origin.PROXY, retry_after_s=5, partner=partner,
    )  # fmt: skip


def _from_header(request: Request, key: bytes) -> str:
    found = [value for each, _, value in request.headers if each == key]
    return found[0].decode("ascii") if len(found) == 1 else ""


def _from_path(path: bytes, template: tuple[str, ...]) -> str:
    segments = path.decode("ascii").split("/")[1:]
    if len(segments) < len(template):
        return ""
    name = ""
    for segment, wanted in zip(segments, template, strict=False):
        said = unquote(segment, errors="strict")
        if not wanted:
            name = said
        elif said != wanted:
            return ""
    return usable(name)

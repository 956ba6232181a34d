"""PURE. What the candidates of a route mean for calls with idempotency keys.

Two upstreams are the same endpoint if whatever a partner could tell them apart
by is the same: who is asked, where, under which name, with which credentials.
Then only the way out differs, of which the partner sees an address at most, and an idempotency
key of one is known at the other. Any other difference may be another account or
another region with keys of its own, so it counts, however small it looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.model.route import Candidate, Upstream

LENGTH_MAX = 64
"""Of a key, where a partner says nothing of it."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """What a key's claim has to know of all candidates together."""

    length_max: int
    """Of a key that each of them takes."""
    resend_s: Mapping[str, float]
    """By upstream, see OwnKeys."""
    references: tuple[str, ...]
    """JSON pointers to the application's own reference; several only if candidates disagree."""
    after_absence: frozenset[str]
    """Upstreams where a repetition is safe only after the partner was asked and had nothing."""
    same_endpoint: Mapping[str, frozenset[str]]
    """By upstream: it, and those that are the same endpoint by another way out."""


def keyed(candidates: tuple[Candidate, ...]) -> Keyed:
    """Of a route's candidates."""
    pointers = {each.settle.reference for each in candidates} - {None}
    return Keyed(
        min((each.own_keys.length_max for each in candidates), default=LENGTH_MAX),
        {each.upstream.name: each.own_keys.resend_s for each in candidates},
        tuple(sorted(str(pointer) for pointer in pointers)),
        frozenset(each.upstream.name for each in candidates if each.settle.resend_when_absent),
        {
            one.upstream.name: frozenset(
                other.upstream.name
                for other in candidates
                if one.headers == other.headers and same_endpoint(one.upstream, other.upstream)
            )
            for one in candidates
        },
    )


def same_endpoint(one: Upstream, other: Upstream) -> bool:
    """Whether it is one upstream, or nothing but the way out tells them apart.

    Two with the same way out as well are two for a reason that is not known here.
    """
    if one.name == other.name:
        return True
    return one.egress != other.egress and _seen_by_partner(one) == _seen_by_partner(other)


def _seen_by_partner(upstream: Upstream) -> tuple[object, ...]:
    return (
        upstream.partner, upstream.tls, upstream.host, upstream.port, upstream.authority,
        upstream.base_path, upstream.server_name, upstream.addresses, upstream.resolve_as,
        upstream.headers, upstream.tls_files,
    )  # fmt: skip

"""Settings of affinity to the plain values that routes and journal read."""

from __future__ import annotations

from urllib.parse import unquote

from proxy.model import affinity as model
from proxy.settings.affinity import NAME, Follow, Place, Remember
from proxy.settings.journal import Idempotency
from proxy.settings.schema import Route


def affinity(route: Route) -> model.Affinity:
    """The route's part; names are those of its tenant, as its keys are."""
    written = route.affinity
    if written is None:
        return model.NO_AFFINITY
    keys = route.idempotency or Idempotency()
    return model.Affinity(
        tenant=keys.tenant,
        tenant_header=keys.tenant_header.lower().encode() if keys.tenant_header else None,
        remember=None if written.remember is None else _remember(written.remember),
        follow=None if written.follow is None else _follow(written.follow),
    )


def _remember(written: Remember) -> model.Remember:
    return model.Remember(written.group, written.reference or "", written.payment or "")


def _follow(written: Follow) -> model.Follow:
    longest_first = sorted(written.prefixes.items(), key=lambda each: (-len(each[0]), each[0]))
    return model.Follow(
        group=written.group,
        reference=None if written.reference is None else _source(written.reference),
        payment=None if written.payment is None else _source(written.payment),
        partners=tuple(longest_first),
        otherwise=written.otherwise,
    )


def _source(place: Place) -> model.Source:
    kind, at = place
    segments = at.split("/")[1:] if kind == "path" else []
    return model.Source(
        pointer=at if kind == "pointer" else "",
        header=at.lower().encode() if kind == "header" else b"",
        query=at if kind == "query" else "",
        path=tuple("" if each == NAME else unquote(each) for each in segments),
    )

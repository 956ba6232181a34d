"""PURE. Which candidate a call goes to first, and which it may go to at all, as text."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.model.affinity import Follow, Named, Otherwise, Remember, Source
from proxy.model.ordering import OrderMode
from proxy.model.route import Route
from proxy.routing.ordering import shares

_NAMES = {Named.PAYMENT: "the partner's name", Named.REFERENCE: "the application's reference"}


def chosen_by(route: Route) -> Iterator[str]:
    """Lines about order and affinity; none where the file's order is all there is."""
    if route.ordering.mode is OrderMode.WEIGHTED:
        parts = (f"{name} {share:.0%}" for name, share in shares(route).items())
        yield f"  order      by the call's key, first is {', '.join(parts)}"
    elif route.ordering.mode is OrderMode.HEALTHIEST:
        yield "  order      by health, then as listed; see `tidegate partners` for now and why"
    if route.affinity.remember is not None:
        yield from _remembered(route.affinity.remember)
    if route.affinity.follow is not None:
        yield from _followed(route, route.affinity.follow)


def _remembered(remember: Remember) -> Iterator[str]:
    said = []
    if remember.reference:
        said.append(f"{remember.reference} of the request")
    if remember.payment:
        said.append(f"{remember.payment} of the answer")
    yield f"  remembers  {' and '.join(said)}, in {remember.group}"


def _followed(route: Route, follow: Follow) -> Iterator[str]:
    yield "  affinity   only to the partner that has the payment:"
    for begins, partner in follow.partners:
        yield f"    {partner} where its name ({_place(follow.payment)}) begins with {begins}"
    for named, source in ((Named.PAYMENT, follow.payment), (Named.REFERENCE, follow.reference)):
        if source is not None:
            yield f"    by {_NAMES[named]} ({_place(source)}), as remembered in {follow.group}"
    if follow.otherwise is Otherwise.REFUSE:
        yield "    else refused (affinity_unknown)"
    else:
        yield f"    else to {route.candidates[0].upstream.partner} alone"


def _place(source: Source | None) -> str:
    if source is None:
        return "none"
    if source.path:
        return "path /" + "/".join(each or "{name}" for each in source.path)
    if source.query:
        return f"query {source.query}"
    return f"header {source.header.decode()}" if source.header else f"body {source.pointer}"

"""Mistakes about what calls of a route are told apart by."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from proxy.model.dimension import DIMENSIONS_MAX, NONE, OTHER, span
from proxy.settings.dimensions import Dimension
from proxy.settings.finding import Finding
from proxy.settings.schema import Settings
from proxy.settings.tree import Loc

_SECRET = frozenset(
    ("authorization", "proxy-authorization", "cookie", "x-api-key", "idempotency-key")
)
_SOURCES = ("pointer", "form", "header", "bin")


def check_dimensions(settings: Settings) -> Iterator[Finding]:
    """Everything about dimensions of routes."""
    for index, route in enumerate(settings.routes):
        place: Loc = ("routes", index, "dimensions")
        if len(route.dimensions) > DIMENSIONS_MAX:
            remedy = "keep the two that fail alone most often, such as scheme and method"
            yield Finding(place, f"has more than {DIMENSIONS_MAX} dimensions", remedy)
        names: dict[str, int] = {}
        for number, each in enumerate(route.dimensions):
            here: Loc = (*place, number)
            first = names.setdefault(each.name, number)
            if first != number:
                remedy = "give each dimension a name of its own"
                see: tuple[Loc, ...] = ((*place, first, "name"),)
                yield Finding((*here, "name"), "is another dimension's name", remedy, see=see)
            yield from _check_source(here, each)
            yield from _check_values(here, each)
            yield from _check_ranges(here, each)


def _check_source(place: Loc, each: Dimension) -> Iterator[Finding]:
    said = [source for source in _SOURCES if getattr(each, source) is not None]
    if not said:
        yield Finding(place, "says nowhere to read it", f"add one of {', '.join(_SOURCES)}")
    for source in said[1:]:
        remedy = "keep one of the two"
        see: tuple[Loc, ...] = ((*place, said[0]),)
        yield Finding((*place, source), f"is a second place beside {said[0]}", remedy, see=see)
    if (each.header or "").lower() in _SECRET:
        remedy = "read it elsewhere: its values are written into logs and metrics"
        yield Finding((*place, "header"), "is a credential or a key", remedy)
    if each.ranges and each.bin is None:
        remedy = "remove it, or read the dimension by bin"
        yield Finding((*place, "ranges"), "has an effect with bin only", remedy)


def _check_values(place: Loc, each: Dimension) -> Iterator[Finding]:
    for index, value in enumerate(each.values):
        if value in (NONE, OTHER):
            remedy = "remove it: it is kept apart anyway"
            yield Finding((*place, "values", index), "is a value of the sidecar's own", remedy)
    if len(each.values) > each.values_max:
        remedy = "raise values_max, or name fewer"
        see: tuple[Loc, ...] = ((*place, "values_max"),)
        yield Finding((*place, "values"), "are more than values_max", remedy, see=see)


def _check_ranges(place: Loc, each: Dimension) -> Iterator[Finding]:
    """Overlapping ranges would make the value depend on their order."""
    spans = sorted(
        (*span(written), value, index)
        for value, all_ in each.ranges.items()
        for index, written in enumerate(all_)
    )
    for before, after in pairwise(spans):
        if after[0] <= before[1]:
            here: Loc = (*place, "ranges", after[2], after[3])
            see: tuple[Loc, ...] = ((*place, "ranges", before[2], before[3]),)
            yield Finding(here, "overlaps another range", "let each number be in one", see=see)

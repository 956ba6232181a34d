"""Settings of dimensions to the plain values that are read by."""

from __future__ import annotations

from proxy.model.dimension import Dimension, Ranges, Source, span
from proxy.settings import dimensions as written
from proxy.settings.schema import Route


def of_route(route: Route) -> tuple[Dimension, ...]:
    """What a route's calls are told apart by."""
    return tuple(_dimension(each) for each in route.dimensions)


def _dimension(each: written.Dimension) -> Dimension:
    places = (
        (Source.POINTER, each.pointer),
        (Source.FORM, each.form),
        (Source.HEADER, each.header and each.header.lower()),
        (Source.BIN, each.bin),
    )
    source, where = next((source, where) for source, where in places if where is not None)
    return Dimension(each.name, source, where, each.values, each.values_max, _ranges(each))


def _ranges(each: written.Dimension) -> Ranges:
    return tuple((*span(one), value) for value, ranges in each.ranges.items() for one in ranges)

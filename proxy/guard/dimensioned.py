"""The layer that reads what tells a call's slice, before anybody asks which candidate is well."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable

from proxy.guard.dimensions import Reader
from proxy.model.call import Call
from proxy.model.outcome import Outcome
from proxy.model.route import Route
from proxy.pipeline.layer import Handler, Layer


def dimensioned(routes: Iterable[Route]) -> Layer:
    """The layer that sets `call.dimensions`; where no route has any, it is no layer at all."""
    readers = {route.name: Reader(route.sources) for route in routes if route.sources}

    def layer(inner: Handler) -> Handler:
        if not readers:
            return inner

        def handle(call: Call) -> Awaitable[Outcome]:
            route = call.route
            assert route is not None
            if route.sources:
                call.dimensions = readers[route.name].read(call.request)
            return inner(call)

        return handle

    return layer

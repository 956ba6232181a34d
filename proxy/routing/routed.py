"""The layer that finds a call's route, or says why there is none."""

from __future__ import annotations

from collections.abc import Awaitable

from proxy.model.call import Call
from proxy.model.outcome import Outcome, Refused
from proxy.pipeline.layer import Handler, Layer, Ready
from proxy.routing.table import RouteTable

_NO_ROUTE = Refused("no_route", 404, "No route matches this host and path.")
_NO_METHOD = Refused("no_route_for_method", 405, "Routes match this path, none with this method.")


def routed(table: RouteTable) -> Layer:
    """The layer that sets `call.route`."""

    def layer(inner: Handler) -> Handler:
        def handle(call: Call) -> Awaitable[Outcome]:
            request = call.request
            route, known_path = table.find(request.host, request.target, request.method)
            if route is None:
                return Ready(_NO_METHOD if known_path else _NO_ROUTE)
            call.route = route
            return inner(call)

        return handle

    return layer

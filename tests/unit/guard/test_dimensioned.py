"""`proxy.guard.dimensioned`: the layer that tells a call its slice."""

from __future__ import annotations

from proxy.guard.dimensioned import dimensioned
from proxy.model.call import Call
from proxy.model.dimension import Dimension, Source
from proxy.model.outcome import Outcome
from tests.support.values import call, request, route
from tests.unit.guard.slices import OK

SCHEME = Dimension("scheme", Source.POINTER, "/scheme")


async def test_a_call_of_a_route_with_dimensions_has_its_values() -> None:
    """One of another route has none, and its body is not read."""
    sliced = route(dimensions=("scheme",), sources=(SCHEME,))
    plain = route(name="plain")
    seen: list[tuple[str, ...]] = []

    async def inner(asked: Call) -> Outcome:
        seen.append(asked.dimensions)
        return OK

    handle = dimensioned([sliced, plain])(inner)
    asked = request(body=b'{"scheme": "visa"}')
    for taken in (sliced, plain):
        assert await handle(call(asked, taken)) is OK
    assert seen == [("visa",), ()]


def test_where_no_route_has_any_there_is_no_layer() -> None:
    """So it costs nothing."""

    async def inner(_: Call) -> Outcome:
        return OK

    assert dimensioned([route()])(inner) is inner

"""`proxy.health.evidence`: what a trouble of a slice becomes, suspicions among it."""

from __future__ import annotations

from proxy.health.evidence import Part, of_slice
from proxy.model.phase import Phase
from tests.support.healthy import Watched, ok, unsent


def test_two_in_a_row_are_a_suspicion_and_stand_for_five_seconds() -> None:
    """It names nobody, but says that another is not alone."""
    watched = Watched("a")
    for _ in range(2):
        watched.end("a", unsent(watched.at["a"], Phase.CONNECT, "refused"))
    at, now = watched.health.slices.all["a", "authorize", None], watched.clock.now()
    (found,) = of_slice(at, (), now)
    assert (found.open, found.bad, found.calls, found.reason) == (False, 2, 2, "refused")
    assert of_slice(at, (), now + 6.0) == []


def test_open_trouble_says_how_much_each_value_has_of_it() -> None:
    """Since it began, of the broad slice alone."""
    watched = Watched("a")
    watched.seconds(20, good=("a",))
    for _ in range(8):
        watched.end("a", ok(watched.at["a"], 500), "visa")
        watched.good("a", value="amex")
        watched.second()
    slices = watched.health.slices
    broad = slices.all["a", "authorize", None]
    (found,) = of_slice(broad, slices.parts(broad), watched.clock.now())
    assert found.open
    assert found.parts == (
        Part(("scheme", "visa"), 8, 8),
        Part(("scheme", "amex"), 0, 8),
    )

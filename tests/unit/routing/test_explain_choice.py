"""Rules for what is said of a route's order and affinity."""

from __future__ import annotations

from dataclasses import replace

from proxy.model.affinity import Affinity, Follow, Otherwise, Remember, Source
from proxy.model.ordering import Ordering, OrderMode
from proxy.routing.explain_choice import chosen_by
from tests.support.values import candidate, route

A, B = candidate("a", "north"), candidate("b", "south")
FOLLOW = Follow(
    "payments", Source(header=b"x-order"), Source(path=("psp", "", "capture")), (("pi_", "south"),)
)


def test_the_order_of_the_file_needs_no_word() -> None:
    """The candidates stand in it."""
    assert list(chosen_by(route(A, B))) == []


def test_an_order_that_is_not_the_files() -> None:
    """With the shares, or with where to look."""
    (weighted,) = chosen_by(route(A, B, ordering=Ordering(OrderMode.WEIGHTED, {"a": 9})))
    assert weighted == "  order      by the call's key, first is a 90%, b 10%"
    (healthiest,) = chosen_by(route(A, B, ordering=Ordering(OrderMode.HEALTHIEST)))
    assert "see `tidegate partners`" in healthiest


def test_what_is_remembered_and_followed() -> None:
    """Where the names are, in the order in which they are asked for."""
    both = Affinity(remember=Remember("payments", "/order", "/id"), follow=FOLLOW)
    assert list(chosen_by(route(A, B, affinity=both))) == [
        "  remembers  /order of the request and /id of the answer, in payments",
        "  affinity   only to the partner that has the payment:",
        "    south where its name (path /psp/{name}/capture) begins with pi_",
        "    by the partner's name (path /psp/{name}/capture), as remembered in payments",
        "    by the application's reference (header x-order), as remembered in payments",
        "    else refused (affinity_unknown)",
    ]


def test_other_places_and_the_first_partner() -> None:
    """Each kind in its words."""
    follow = replace(
        FOLLOW, reference=Source(query="order"), payment=Source(pointer="/id"),
        partners=(), otherwise=Otherwise.FIRST,
    )  # fmt: skip
    text = "\n".join(chosen_by(route(A, B, affinity=Affinity(follow=follow))))
    assert "(body /id)" in text
    assert "(query order)" in text
    assert text.endswith("else to north alone")

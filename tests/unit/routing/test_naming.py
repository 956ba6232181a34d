"""Rules for which payment a request names, and whose it is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from proxy.model.affinity import PLACES_MAX, Follow, Place, Source
from proxy.routing.naming import AMBIGUOUS, by_beginning, by_places, name_in, narrow
from tests.support.values import candidate, headers, request

A1, A2 = candidate("a1", "north"), candidate("a2", "north")
B1 = candidate("b1", "south")
ALL = (A1, A2, B1)
PATH = Source(path=("psp", "charges", "", "capture"))


@pytest.mark.parametrize(
    ("source", "target", "name"),
    [
        (PATH, b"/psp/charges/ch_1/capture", "ch_1"),
        (PATH, b"/psp/charges/ch_1/capture/x?y=1", "ch_1"),
        (PATH, b"/psp/charges/%63h_1/capture", "ch_1"),
        (PATH, b"/psp/charges/ch_1/refund", ""),
        (PATH, b"/psp/charges/ch_1", ""),
        (PATH, b"/psp/charges//capture", ""),
        (PATH, b"/psp/charges/%ff/capture", ""),
        (PATH, b"/psp/charges/a%0Ab/capture", ""),
        (Source(query="id"), b"/psp/charges?x=1&id=ch%5F1", "ch_1"),
        (Source(query="id"), b"/psp/charges?id=ch_1&id=ch_2", ""),
        (Source(query="id"), b"/psp/charges", ""),
        (Source(header=b"x-payment"), b"/", "ch_9"),
        (Source(header=b"x-twice"), b"/", ""),
        (Source(header=b"x-odd"), b"/", ""),
        (Source(header=b"x-none"), b"/", ""),
        (Source(pointer="/payment/id"), b"/", "ch_7"),
        (Source(pointer="/none"), b"/", ""),
    ],
)
def test_a_name_in_a_request(source: Source, target: bytes, name: str) -> None:
    """Escapes are read as partners read them; what is not sure is none."""
    fields = [("X-Payment", "ch_9"), ("X-Twice", "1"), ("X-Twice", "2")]
    asked = request(target=target, fields=headers(*fields), body=b'{"payment": {"id": "ch_7"}}')
    asked.headers.append((b"x-odd", b"X-Odd", b"\xff"))
    assert name_in(asked, source) == name


def test_the_longest_beginning_counts() -> None:
    """They stand in that order; no name begins like nothing."""
    follow = Follow("payments", partners=(("pi_eu_", "south"), ("pi_", "north")))
    assert by_beginning(follow, "pi_1") == "north"
    assert by_beginning(follow, "pi_eu_1") == "south"
    assert by_beginning(follow, "ch_1") == by_beginning(follow, "") == ""


def test_only_the_partners_own_are_left_the_one_that_made_it_first() -> None:
    """The others of that partner stay candidates, in the order that they had."""
    assert narrow(ALL, "north", "why").candidates == (A1, A2)
    assert narrow(ALL, "north", "why", ["a2"]).candidates == (A2, A1)
    assert narrow(ALL, "south", "why", ["b9"]).candidates == (B1,)


def test_a_partner_that_the_route_may_not_go_to_is_named() -> None:
    """And nobody takes its place."""
    narrowed = narrow((A1,), "south", "why")
    assert narrowed.candidates == ()
    assert narrowed.refusal is not None
    assert narrowed.refusal.reason == "affinity_elsewhere"
    assert "is at south" in narrowed.refusal.detail


@pytest.mark.parametrize(
    ("places", "names"),
    [
        ([("south", "b1")], ["b1"]),
        ([("north", "a2"), ("north", "a2")], ["a2", "a1"]),
        ([("north", "a2"), ("south", "b1")], []),
        ([("south", "b1")] * PLACES_MAX, []),
    ],
)
def test_where_calls_by_a_name_are(places: Sequence[Place], names: list[str]) -> None:
    """One partner, or the name says too little: several have it, or too many calls have."""
    narrowed = by_places(ALL, places, "its name")
    assert narrowed is not None
    assert [each.upstream.name for each in narrowed.candidates] == names
    assert (narrowed.refusal is AMBIGUOUS) is not bool(names)
    assert ("its name is known at" in narrowed.why) is bool(names)


def test_a_name_that_nobody_has_says_nothing() -> None:
    """Another may."""
    assert by_places(ALL, [], "its name") is None

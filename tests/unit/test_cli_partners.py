"""`proxy.cli_partners`: breakers and names as rows that a person can read."""

from __future__ import annotations

import pytest

from proxy.cli_partners import check_rows, name_rows, order_rows, partner_rows, partners_text
from proxy.guard.permit import State
from tests.support.values import candidate, route
from tests.unit.guard.slices import Slices


def test_each_breaker_is_a_row_with_its_state_and_figures() -> None:
    """As the admin listener serves it; what is not known is a dash."""
    house = Slices(route(candidate("a"), candidate("b")))
    circuit = house.trip("a")
    head, opened, well = partner_rows(house.made.report())
    assert circuit.state is State.OPEN
    row = dict(zip(head, opened, strict=True))
    assert (row["partner"], row["upstream"], row["operation"]) == ("acme", "a", "authorize")
    assert (row["state"], row["for"], row["calls"]) == ("open", "0 s", "5")
    assert row["failing"] == "100% (57% to 100%)"
    assert row["next probe"] in ("in 4 s", "in 5 s", "in 6 s")
    assert row["let through"] == "0%"
    assert "5" in row["why"]
    row = dict(zip(head, well, strict=True))
    assert (row["state"], row["failing"], row["p99"], row["next probe"]) == (
        "closed",
        "-",
        "-",
        "-",
    )


@pytest.mark.parametrize(
    ("seconds", "shown"), [(119.0, "119 s"), (600.0, "10 min"), (7200.0, "2 h")]
)
def test_how_long_it_has_been_so_is_short_to_read(seconds: float, shown: str) -> None:
    """In the unit that fits."""
    house = Slices(route(candidate("a")))
    house.clock.advance(seconds)
    assert partner_rows(house.made.report())[1][4] == shown


def test_a_name_is_a_row_and_what_is_not_known_is_a_dash() -> None:
    """As the admin listener serves it."""
    known = {"name": "a.example", "state": "fresh", "age_s": 3.4, "next_refresh_s": 20.0,
             "addresses": ["192.0.2.1", "192.0.2.2"]}  # fmt: skip
    rows = name_rows([known, {"name": "b.example", "state": "unknown", "reason": "timeout"}])
    assert rows[1:] == [
        ("a.example", "fresh", "3 s", "20 s", "192.0.2.1 192.0.2.2", "-"),
        ("b.example", "unknown", "-", "-", "-", "timeout"),
    ]


def test_orders_that_are_not_the_files_stand_below_the_breakers() -> None:
    """With the reason; without any there is no second table."""
    row = {"route": "charges", "order": "healthiest", "now": ["b", "a"], "why": "b (90 ms)"}
    assert order_rows([row])[1] == ("charges", "healthiest", "b a", "b (90 ms)")
    text = partners_text({"breakers": [], "checks": [], "orders": [row]})
    assert text.index("partner") < text.index("charges  healthiest  b a")
    assert "route" not in partners_text({"breakers": [], "checks": [], "orders": []})


CHECK = {
    "partner": "acme", "upstream": "b", "kind": "connect", "failing": False, "for_s": 90.0,
    "last": "passed", "last_s": 4.0, "proven_s": 4.0, "proven_by": "check", "unproven": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("over", "state", "last", "proven"),
    [
        ({}, "well", "passed, 4 s ago", "4 s ago, by a check"),
        (
            {"failing": True, "last": "connect refused", "proven_s": 400.0, "unproven": True},
            "failing", "connect refused, 4 s ago", "NOT PROVEN for 7 min",
        ),
        ({"last": None, "proven_by": None}, "-", "-", "not yet"),
    ],
)  # fmt: skip
def test_each_upstream_is_a_row_with_its_checks_and_its_proof(
    over: dict[str, object], state: str, last: str, proven: str
) -> None:
    """A standby that nothing has proven for too long stands out."""
    head, row = check_rows([CHECK | over])
    found = dict(zip(head, row, strict=True))
    assert (found["state"], found["last check"], found["proven"]) == (state, last, proven)

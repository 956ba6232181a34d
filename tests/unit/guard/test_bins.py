"""`proxy.guard.bins`: the scheme of a card number, by its first digits."""

from __future__ import annotations

from itertools import pairwise

import pytest

from proxy.guard.bins import DEFAULT, Bins, scheme
from proxy.model.dimension import span


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("4111111111111111", "visa"),
        ("5555 5555 5555 4444", "mastercard"),
        ("2223-0031-2200-3222", "mastercard"),
        ("22209999", "other"),
        ("27209999", "mastercard"),
        ("378282246310005", "amex"),
        ("6011111111111117", "discover"),
        ("3530111333300000", "jcb"),
        ("30569309025904", "diners"),
        ("6200000000000005", "unionpay"),
        ("6759649826438453", "maestro"),
        ("411111", "visa"),
        ("41111", "other"),
        ("9999999999999999", "other"),
        ("4111x11111111111", "other"),
        ("", "none"),
        (" ", "none"),
    ],
)
def test_the_schemes_that_are_known(number: str, found: str) -> None:
    """By the published ranges; what is no card number is other, nothing is none."""
    assert scheme(number) == found


def test_no_two_of_the_known_ranges_overlap() -> None:
    """Or the value would depend on their order."""
    assert all(before[1] < after[0] for before, after in pairwise(sorted(DEFAULT)))


def test_own_ranges_go_before_those_that_are_known() -> None:
    """A part of Visa's may be a scheme of its own; the rest stays Visa's."""
    own = Bins([(*span("4571"), "dankort")])
    assert scheme("4571000000000001", own) == "dankort"
    assert scheme("4572000000000000", own) == "visa"
    assert own.find(0) is None

"""What calls of a route are told apart by: card scheme, payment method, currency or country."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NONE = "none"
"""The value of a call that does not say."""
OTHER = "other"
"""The value of one that says what is not kept apart: too many values, or none we would write."""
DIMENSIONS_MAX = 2
"""Of one route: each multiplies the slices, and thins out what is known of one."""
VALUES_MAX = 32
"""Of one dimension, unless the configuration says otherwise; the rest is `other`."""

Ranges = tuple[tuple[int, int, str], ...]
"""First and last of the leading eight digits of card numbers, and what they belong to."""


BIN_DIGITS = 8
"""Of an IIN since ISO/IEC 7812-1:2017; six before."""


def span(written: str) -> tuple[int, int]:
    """First and last of eight digits, from a prefix ("4") or two of one length ("51-55")."""
    first, _, last = written.partition("-")
    last = last or first
    return int(first.ljust(BIN_DIGITS, "0")), int(last.ljust(BIN_DIGITS, "9"))


class Source(StrEnum):
    """Where in a request a value stands."""

    POINTER = "pointer"
    """A JSON pointer into the body."""
    FORM = "form"
    """A field of a form."""
    HEADER = "header"
    BIN = "bin"
    """A JSON pointer to a card number, or a form field with one; its range says the value."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension of a route, and where its value is read."""

    name: str
    source: Source
    where: str
    """The pointer, the field, or the header in lower case."""
    values: tuple[str, ...] = ()
    """Values kept apart in any case; where there are any, all others are `other`."""
    values_max: int = VALUES_MAX
    ranges: Ranges = ()
    """Of card numbers, before those that are known anyway."""

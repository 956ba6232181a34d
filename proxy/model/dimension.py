"""What calls of a route are told apart by: card scheme, payment method, currency, country …"""

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

"""PURE. From the first digits of a card number to its scheme; the number itself is kept nowhere.

The ranges are those that the schemes have published and that ISO/IEC 7812 leaves
to them, as collected in Wikipedia, "Payment card number", section "Issuer
identification number (IIN)". Where two share a range, it stands here
once: 622126 to 622925 belongs to UnionPay and is taken by Discover too, 55 belongs
to Mastercard and was Diners Club's in North America. Cards with two brands have one
number, so their second brand is not seen: tell them apart by a field, or by ranges
of your own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from proxy.model.dimension import BIN_DIGITS, NONE, OTHER, Ranges, span

_DIGITS_MIN = 6

_KNOWN = {
    "visa": ("4",),
    "mastercard": ("51-55", "2221-2720"),
    "amex": ("34", "37"),
    "discover": ("6011", "644-649", "65"),
    "jcb": ("3528-3589",),
    "diners": ("300-305", "3095", "36", "38-39"),
    "unionpay": ("62",),
    "maestro": ("5018", "5020", "5038", "5893", "6304", "6759", "6761-6763"),
}


DEFAULT: Ranges = tuple((*span(each), name) for name, all_ in _KNOWN.items() for each in all_)
"""What is known anyway."""


class Bins:
    """A table of ranges; those of one table must not overlap."""

    __slots__ = ("_firsts", "_ranges")

    def __init__(self, ranges: Iterable[tuple[int, int, str]]) -> None:
        self._ranges = sorted(ranges)
        self._firsts = [first for first, _, _ in self._ranges]

    def find(self, digits: int) -> str | None:
        """What eight leading digits belong to."""
        index = bisect_right(self._firsts, digits) - 1
        if index < 0 or digits > self._ranges[index][1]:
            return None
        return self._ranges[index][2]


_DEFAULT_BINS = Bins(DEFAULT)


def scheme(number: str, own: Bins | None = None) -> str:
    """The scheme of a card number as it is written, by `own` ranges first."""
    text = number.replace(" ", "").replace("-", "")[:BIN_DIGITS]
    if not text:
        return NONE
    if len(text) < _DIGITS_MIN or not (text.isascii() and text.isdigit()):
        return OTHER
    digits = int(text.ljust(BIN_DIGITS, "0"))
    found = None if own is None else own.find(digits)
    return found or _DEFAULT_BINS.find(digits) or OTHER

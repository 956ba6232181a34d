"""Reading fields of a request's body (PURE). Messages name the field, never its value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

AMOUNT_MAX = 10**12
REFERENCE_CHARACTERS_MAX = 255


class FieldError(Exception):
    """A field is missing or wrong; `param` is its name."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param
        self.message = message


def amount(body: Mapping[str, Any], default: int | None = None) -> int:
    """The amount in minor units: a positive whole number."""
    found = body.get("amount", default)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found <= AMOUNT_MAX:
        raise FieldError("amount", "amount must be a positive whole number of minor units")
    return found


def currency(body: Mapping[str, Any]) -> str:
    """Three letters, returned in upper case."""
    found = body.get("currency")
    if not isinstance(found, str) or len(found) != 3 or not found.isalpha():
        raise FieldError("currency", "currency must be three letters")
    return found.upper()


def text(body: Mapping[str, Any], name: str) -> str:
    """A text of a sane length that must be there."""
    found = body.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= REFERENCE_CHARACTERS_MAX:
        raise FieldError(name, f"{name} must be a text of 1 to {REFERENCE_CHARACTERS_MAX}")
    return found


def card(body: Mapping[str, Any]) -> None:
    """The card, if there is one, must be an object; nothing is read out of it here."""
    if not isinstance(body.get("card", {}), dict):
        raise FieldError("card", "card must be an object")

"""What calls of a route are told apart by, so that one scheme can fail alone."""

from __future__ import annotations

import re
from typing import Annotated

from proxy.model.dimension import VALUES_MAX
from proxy.settings.base import Model, key, required
from proxy.settings.kinds import HeaderName, Pointer, Text
from proxy.settings.problems import Wrong
from proxy.settings.scalars import text, whole

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_VALUE = re.compile(r"[a-z0-9_-]{1,32}")
_RANGE = re.compile(r"([0-9]{1,8})(?:-([0-9]{1,8}))?")


def _name(written: str) -> str:
    if _NAME.fullmatch(written) is None:
        remedy = "use up to 32 lower-case letters, digits and _, a letter in front: scheme"
        raise Wrong("is not a dimension's name", remedy)
    return written


def _value(written: str) -> str:
    if _VALUE.fullmatch(written) is None:
        raise Wrong("is not a value", "use up to 32 lower-case letters, digits, - and _: visa")
    return written


def _range(written: str) -> str:
    match = _RANGE.fullmatch(written)
    first, last = match.groups() if match else ("", None)
    if match is None or (last is not None and (len(first) != len(last) or first > last)):
        remedy = 'write a prefix of 1 to 8 digits, or two of one length: "4", "2221-2720"'
        raise Wrong("is not a range of card numbers", remedy)
    return written


DimensionName = Annotated[str, text(_name, pattern=f"^{_NAME.pattern}$")]
DimensionValue = Annotated[str, text(_value, pattern=f"^{_VALUE.pattern}$")]
BinRange = Annotated[str, text(_range, pattern=f"^{_RANGE.pattern}$")]


class Dimension(Model):
    """One dimension: its name, and one place where its value is read."""

    name: DimensionName = required("names it in logs, metrics and tables", "scheme")
    pointer: Pointer | None = key(None, "JSON pointer to it in the body")
    form: Text | None = key(None, "field of an urlencoded body")
    header: HeaderName | None = key(None, "header of the request")
    bin: Text | None = key(
        None, "JSON pointer to the card number, or form field with it: its range is the value"
    )
    ranges: dict[DimensionValue, tuple[BinRange, ...]] = key(
        {}, "with bin: ranges of card numbers by value, before those that are known"
    )
    values: tuple[DimensionValue, ...] = key((), "values kept apart; unset: as they come")
    values_max: Annotated[int, whole(1, 256)] = key(
        VALUES_MAX, "values kept apart, at each upstream and operation; more are other"
    )

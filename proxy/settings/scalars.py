"""The kinds of value a key can have: how its text is read, and how an editor checks it.

Each function returns metadata for `Annotated`: a parser and a piece of JSON
Schema. Parsers see text as it stands in the file, or a default of ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from proxy.settings.problems import Wrong, suggest
from proxy.settings.secret import MASK, Secret
from proxy.settings.units import DURATION_PATTERN, SIZE_PATTERN, parse_duration, parse_size

Schema = dict[str, Any]
REFERENCE: Schema = {"type": "string", "pattern": r"\$\{"}

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?[0-9]{1,17}(\.[0-9]{1,17})?")
_YES = ("true", "True", "TRUE", "yes", "Yes", "YES")
_NO = ("false", "False", "FALSE", "no", "No", "NO")


class Scalar:
    """Annotated metadata that makes pydantic call a parser of ours."""

    __slots__ = ("parse", "schema")

    def __init__(self, parse: Callable[[object], Any], schema: Schema) -> None:
        self.parse = parse
        self.schema = schema

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.parse, serialization=_MASKING if source is Secret else None
        )

    def __get_pydantic_json_schema__(
        self, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> Schema:
        return dict(self.schema)


_MASKING = core_schema.plain_serializer_function_ser_schema(lambda _: MASK)


def text_of(value: object) -> str:
    """The value as plain text; raises Wrong for nothing, lists and mappings."""
    if not isinstance(value, str):
        raise Wrong("is not a single value", "write one value, without - or nested keys")
    if not value:
        raise Wrong("is empty", "give it a value, or remove the key to have its default")
    return str.__str__(value)


def text(parse: Callable[[str], Any], **schema: Any) -> Scalar:
    """Text that `parse` reads or refuses."""
    return Scalar(lambda value: parse(text_of(value)), {"type": "string", **schema})


def _within(found: float, low: float, high: float, low_text: str, high_text: str) -> None:
    if not low <= found <= high:
        raise Wrong("is out of range", f"choose a value from {low_text} to {high_text}")


def duration(low: str, high: str) -> Scalar:
    """Seconds, from text such as `250ms`."""
    low_s, high_s = parse_duration(low), parse_duration(high)

    def parse(value: object) -> float:
        found = parse_duration(text_of(value))
        _within(found, low_s, high_s, low, high)
        return found

    pattern = {"type": "string", "pattern": DURATION_PATTERN}
    return Scalar(parse, {"anyOf": [pattern, REFERENCE]})


def size(low: str, high: str) -> Scalar:
    """Bytes, from text such as `32KiB`."""
    low_bytes, high_bytes = parse_size(low), parse_size(high)

    def parse(value: object) -> int:
        found = parse_size(text_of(value))
        _within(found, low_bytes, high_bytes, low, high)
        return found

    whole_bytes = {"type": "integer", "minimum": low_bytes, "maximum": high_bytes}
    pattern = {"type": "string", "pattern": SIZE_PATTERN}
    return Scalar(parse, {"anyOf": [pattern, whole_bytes, REFERENCE]})


def whole(low: int, high: int) -> Scalar:
    """A whole number in decimal digits."""

    def parse(value: object) -> int:
        digits = str(value) if isinstance(value, int) else text_of(value)
        if _INTEGER.fullmatch(digits) is None:
            raise Wrong("is not a whole number", f"write digits only, such as {high}")
        _within(int(digits), low, high, str(low), str(high))
        return int(digits)

    digits_only = {"type": "integer", "minimum": low, "maximum": high}
    return Scalar(parse, {"anyOf": [digits_only, REFERENCE]})


def number(low: float, high: float) -> Scalar:
    """A decimal number."""

    def parse(value: object) -> float:
        digits = str(value) if isinstance(value, float) else text_of(value)
        if _DECIMAL.fullmatch(digits) is None:
            raise Wrong("is not a number", "write a decimal number, such as 0.2")
        _within(float(digits), low, high, str(low), str(high))
        return float(digits)

    decimal = {"type": "number", "minimum": low, "maximum": high}
    return Scalar(parse, {"anyOf": [decimal, REFERENCE]})


def flag() -> Scalar:
    """A truth value; yes and no are read as well."""

    def parse(value: object) -> bool:
        if isinstance(value, bool):
            return value
        word = text_of(value)
        if word not in _YES and word not in _NO:
            raise Wrong("is neither true nor false", "write true or false")
        return word in _YES

    return Scalar(parse, {"anyOf": [{"type": "boolean"}, REFERENCE]})


def one_of(words: Mapping[str, Any], also: Mapping[str, Any] | None = None) -> Scalar:
    """One of a few words; `also` are other spellings that are read but not offered."""
    spellings = {**words, **(also or {})}

    def parse(value: object) -> Any:
        word = text_of(value)
        if word not in spellings:
            raise Wrong("is not a word known here", suggest(word, words))
        return spellings[word]

    return Scalar(parse, {"anyOf": [{"enum": list(words)}, REFERENCE]})

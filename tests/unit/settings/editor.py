"""What an editor does with a JSON Schema: the part of 2020-12 that ours uses, as a checker."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}
_KNOWN = {
    *("$schema", "$defs", "$ref", "title", "description", "default", "examples", "type", "anyOf"),
    *("enum", "const", "pattern", "minimum", "maximum", "items", "properties", "required"),
    *("additionalProperties", "patternProperties", "propertyNames"),
}


def complaints(value: object, schema: Any, root: Any, place: str = "") -> Iterator[str]:
    """The places that an editor would underline."""
    assert set(schema) <= _KNOWN, f"this checker does not know {set(schema) - _KNOWN}"
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        yield from complaints(value, root["$defs"][name], root, place)
    if "anyOf" in schema and all(
        list(complaints(value, each, root, place)) for each in schema["anyOf"]
    ):
        yield place
    if not _fits(value, schema):
        yield place
    elif isinstance(value, dict):
        yield from _object(value, schema, root, place)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from complaints(item, schema.get("items", {}), root, f"{place}[{index}]")


def _fits(value: object, schema: Any) -> bool:
    kind = schema.get("type")
    if kind and not isinstance(value, _TYPES[kind]):
        return False
    if kind in ("integer", "number") and isinstance(value, bool):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        return False
    if isinstance(value, int | float):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True


def _object(value: dict[str, object], schema: Any, root: Any, place: str) -> Iterator[str]:
    for key in schema.get("required", []):
        if key not in value:
            yield f"{place}.{key}"
    for key, item in value.items():
        inner = f"{place}.{key}"
        patterns = schema.get("patternProperties", {})
        matching = [each for pattern, each in patterns.items() if re.search(pattern, key)]
        if list(complaints(key, schema.get("propertyNames", {}), root)):
            yield inner
        elif key in schema.get("properties", {}):
            yield from complaints(item, schema["properties"][key], root, inner)
        elif matching:
            yield from complaints(item, matching[0], root, inner)
        elif schema.get("additionalProperties", True) is False:
            yield inner
        elif isinstance(schema.get("additionalProperties"), dict):
            yield from complaints(item, schema["additionalProperties"], root, inner)

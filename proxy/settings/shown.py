"""Everything in force, one row a setting, as the dashboard shows it: credentials masked.

Paths and keys are those of the file. Where a value does not come from the file, or
from a profile that it names, it is the default.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

from proxy.settings.base import Model
from proxy.settings.network import Address, Url
from proxy.settings.secret import MASK, Secret

Row = dict[str, Any]


def shown(settings: Model) -> list[Row]:
    """Rows of path, value (as text) and whether it was set; in the order of the reference."""
    return list(_rows(settings, ""))


def _rows(model: Model, path: str) -> Iterator[Row]:
    for name, field in type(model).model_fields.items():
        key = field.alias or name
        at = f"{path}.{key}" if path else key
        value = MASK if name in model.masked else getattr(model, name)
        unit = "s" if name.endswith("_s") and name != key else ""
        if name.endswith("_mode") and isinstance(value, int):
            value = f"{value:04o}"
        yield from _row(at, unit, value, name in model.model_fields_set)


def _row(path: str, unit: str, value: object, is_set: bool) -> Iterator[Row]:
    if isinstance(value, Model):
        yield from _rows(value, path)
    elif isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _row(f"{path}.{key}", "", item, is_set)
    elif isinstance(value, tuple) and any(isinstance(item, Model) for item in value):
        for number, item in enumerate(value):
            yield from _row(f"{path}[{number}]", "", item, is_set)
    else:
        yield {"path": path, "value": _text(value, unit), "set": is_set}


def _text(value: object, unit: str) -> str:
    if value is None:
        return "unset"
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return f"{value:.10g}{unit}"
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(_text(item, "") for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(item, '')}" for key, item in value.items()) or "none"
    if isinstance(value, Address):
        return f"unix:{value.unix_path}" if value.unix_path else f"{value.host}:{value.port}"
    if isinstance(value, Url):
        return f"{'https' if value.tls else 'http'}://{value.authority}{value.path}"
    return value.value if isinstance(value, Enum) else str(value)

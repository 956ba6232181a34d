"""The keys of the schema, of the documentation and of the annotated example, in one spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_origin

from pydantic.fields import FieldInfo

from proxy.settings.base import Model
from proxy.settings.reader import read_tree
from proxy.settings.schema import Settings
from proxy.settings.shape import keys, model_in
from proxy.settings.tree import Node

_ROW = re.compile(r"\| `(?P<key>[^`]+)` \| (?P<meaning>[^|]+) \| (?P<default>[^|]+) \| [^|]*\|")
_CHOSEN = re.compile(
    r"(\.(set|execution|settle|ranges|reply\.headers|prefixes|weights|webhooks\.NAME\.headers)\..*"
    r"|^telemetry\.headers\..*|NAME|\[\])$"
)
"""What a user names or chooses, which is no key."""
_NAMED = re.compile(r"(partners|operations|inquiries|reversals|upstreams|webhooks)\.[^.\[]+")


def schema_keys(model: type[Model] = Settings, place: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Path and field of every key; names that the user chooses are NAME."""
    for key, field in keys(model).items():
        path = f"{place}.{key}" if place else key
        yield path, field
        inner = model_in(field.annotation)
        if inner is not None:
            origin = get_origin(field.annotation)
            below = ".NAME" if origin is dict else "[]" if origin is tuple else ""
            yield from schema_keys(inner, path + below)


def spelled(default: object) -> str:
    """A default as the documentation and the example write it."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, list | tuple):
        return f"[{', '.join(map(str, default))}]"
    return str(default)


def documented(page: Path) -> dict[str, str]:
    """Key and default of every row of the page's tables of keys."""
    rows = (_ROW.fullmatch(line) for line in page.read_text(encoding="utf-8").splitlines())
    return {row["key"]: row["default"] for row in rows if row is not None}


def example_keys(file: Path) -> Iterator[tuple[str, Node]]:
    """Path and node of every key of a file; header names and statuses are values, not keys."""
    root, problems = read_tree(file.read_bytes())
    assert root is not None
    assert problems == []
    for node in root.walk():
        general = re.sub(r"\[\d+\]", "[]", _NAMED.sub(r"\1.NAME", node.path))
        if general and not _CHOSEN.search(general):
            yield general, node

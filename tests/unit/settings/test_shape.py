"""From a place in the file to the model and key that the schema has there."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.settings.partner import Pool, Upstream
from proxy.settings.schema import Match, Route, Settings
from proxy.settings.shape import descend, keys, model_in

UPSTREAM = ("partners", "north", "upstreams", "north-a")


def test_keys_are_those_of_the_file() -> None:
    """Not the attributes, which have units."""
    assert "deadline" in keys(Route)
    assert "deadline_s" not in keys(Route)


@pytest.mark.parametrize(
    ("annotation", "model"),
    [
        (Pool, Pool),
        (Pool | None, Pool),
        (dict[str, Pool], Pool),
        (tuple[Pool, ...], Pool),
        (int, None),
    ],
    ids=str,
)
def test_models_are_found_in_containers(annotation: Any, model: Any) -> None:
    """As optional, value or item."""
    assert model_in(annotation) is model


@pytest.mark.parametrize(
    ("loc", "annotation", "has_field"),
    [
        ((), Settings, False),
        (("routes", 0), Route, False),
        (("routes", 0, "match"), Match, True),
        (("routes", 0, "deadline"), float, True),
        (UPSTREAM, Upstream, False),
        ((*UPSTREAM, "pool"), Pool, True),
        ((*UPSTREAM, "tls", "ca_file", "deeper"), None, False),
        (("nowhere",), None, False),
        (("nowhere", "deeper"), None, False),
    ],
)
def test_places_lead_to_models_and_fields(loc: Any, annotation: Any, has_field: bool) -> None:
    """Through mappings by name and lists; nothing where the schema has nothing."""
    found, field = descend(Settings, loc)
    assert found == annotation
    assert (field is not None) is has_field


def test_every_required_key_has_an_example() -> None:
    """It stands in for the missing value while the rest of a file is checked."""
    pending: list[Any] = [Settings]
    while pending:
        for field in keys(pending.pop()).values():
            assert not field.is_required() or field.examples
            inner = model_in(field.annotation)
            pending += [inner] if inner is not None else []

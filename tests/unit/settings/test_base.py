"""Models are frozen, know their lines, and mask whatever came from a reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from proxy.settings.build import build
from proxy.settings.load import SettingsError, load, read
from proxy.settings.schema import Settings
from tests.unit.settings.example import ANNOTATED, BASE, changed, load_text

CANARY = "canary5e8f"
REFERENCE = "${CANARY}"
POOL = "pool: {connections_max: 32}"
KEY = "headers: {set: {X-Api-Key: plain5e8f, X-B: b}}"


def _prints(settings: Settings) -> str:
    """Everything that printing, logging or dumping settings could show."""
    model: Any = settings
    return f"{model} {model!r} {model.model_dump()} {model.model_dump_json()}"


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    """What was checked is what is in force."""
    settings = load_text(tmp_path, BASE).settings
    with pytest.raises(ValidationError, match="frozen"):
        settings.listen.connections_max = 1


def test_referenced_values_are_masked_in_every_print(tmp_path: Path) -> None:
    """Texts, numbers and items of lists; their neighbours stay readable."""
    text = changed(
        ("connections_max: 64", "connections_max: ${NUMBER}\n  hosts: [localhost, '${CANARY}']"),
        ("https://a.north.example", "https://${CANARY}.example/v1"),
        ("name: rest", "name: ${CANARY}"),
    )
    settings = load_text(tmp_path, text, {"CANARY": CANARY, "NUMBER": "7231"}).settings
    shown = _prints(settings)
    assert CANARY not in shown
    assert "7231" not in shown
    assert "hosts=***" in shown
    assert "b.north.example" in shown
    assert settings.listen.connections_max == 7231
    assert settings.partners["north"].upstreams["north-a"].url.host == f"{CANARY}.example"


def test_tokens_and_header_values_are_masked_even_when_written_plainly(tmp_path: Path) -> None:
    """They are credentials wherever they come from."""
    text = changed(("connections_max: 64", "token: plain5e8f-and-long"), (POOL, KEY))
    settings = load_text(tmp_path, text).settings
    assert "plain5e8f" not in _prints(settings)
    assert settings.listen.token is not None
    assert settings.listen.token.reveal() == "plain5e8f-and-long"
    assert "X-Api-Key" in _prints(settings)


def _leaves(value: object, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The places of all single values of a document."""
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in _leaves(item, (*place, key))]
    if isinstance(value, list):
        return [leaf for index, item in enumerate(value) for leaf in _leaves(item, (*place, index))]
    return [place]


def _with(document: Any, place: tuple[str | int, ...], value: str) -> Any:
    copy = json.loads(json.dumps(document))
    target = copy
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    return copy


EXAMPLE = yaml.safe_load(ANNOTATED.read_text(encoding="utf-8"))
PLACES = _leaves(EXAMPLE)


@pytest.mark.no_cover  # volume
@pytest.mark.parametrize("written", [REFERENCE, CANARY], ids=["reference", "plain"])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_no_value_is_repeated_in_a_problem(place: tuple[str | int, ...], written: str) -> None:
    """At any key of the schema a secret may end up by mistake: no report shows it."""
    document = _with(EXAMPLE, place, written)
    environ = {"CANARY": CANARY, "NORTHPAY_KEY": "k"}
    # The files that the example refers to are not there, so that there are always problems.
    with pytest.raises(SettingsError) as caught:
        read(json.dumps(document).encode(), Path("/nowhere/tidegate.yaml"), environ)
    assert CANARY not in str(caught.value)
    assert CANARY not in repr(caught.value.problems)


def test_an_error_keeps_no_traceback_with_values(tmp_path: Path) -> None:
    """Pydantic's own error holds the input, so it must not hang on ours."""
    path = tmp_path / "tidegate.yaml"
    path.write_text(changed(("connections_max: 64", f"connections_max: {CANARY}")))
    with pytest.raises(SettingsError) as caught:
        load(path, {})
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_masking_does_not_reach_the_stack(tmp_path: Path) -> None:
    """The values themselves are in force."""
    text = changed((POOL, 'headers: {set: {Authorization: "Bearer ${CANARY}"}}'))
    built = build(load_text(tmp_path, text, {"CANARY": CANARY}).settings)
    assert built.upstreams["north-a"].headers.put == (
        (b"authorization", b"Authorization", b"Bearer canary5e8f"),
    )

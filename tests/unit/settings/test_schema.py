"""Schema, documentation and annotated example say the same as the models."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from proxy.settings.load import load
from proxy.settings.profile import Profile, shipped
from proxy.settings.schema import Settings, json_schema
from tests.support import config
from tests.unit.settings.documented import documented, example_keys, schema_keys, spelled
from tests.unit.settings.editor import complaints
from tests.unit.settings.example import ANNOTATED, BASE, ROOT, SANDBOX, SHARED, annotated, shared

KEYS = dict(schema_keys())
PAGE = documented(ROOT / "docs" / "configuration.md")
SCHEMA = json_schema()


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The annotated example with the files that it refers to."""
    return annotated(tmp_path)


def _underlined(text: str) -> list[str]:
    return list(complaints(yaml.safe_load(text), SCHEMA, SCHEMA))


def test_the_annotated_example_is_correct(installed: Path) -> None:
    """Without problems, without warnings."""
    assert load(installed, {"NORTHPAY_KEY": "key"}).warnings == []


def test_the_sandbox_configuration_is_correct() -> None:
    """It needs no environment; `make run` uses it as it is."""
    loaded = load(SANDBOX, {})
    assert loaded.warnings == []
    assert str(loaded.settings.listen.address.port) == "8080"


def test_the_shared_journals_example_is_correct(tmp_path: Path) -> None:
    """With the files and the environment that it refers to."""
    environ = {"TIDEGATE_JOURNAL_URL": "postgresql://me:hunter2@db.example/pay"}
    loaded = load(shared(tmp_path), environ)
    assert loaded.warnings == []
    assert "hunter2" not in repr(loaded.settings)


def test_the_examples_have_every_key() -> None:
    """And none besides; a journal is in a file or shared, so it takes two examples."""
    examples = (*example_keys(ANNOTATED), *example_keys(SHARED))
    assert {key for key, _ in examples} == set(KEYS)


def test_the_page_documents_every_key() -> None:
    """And none besides."""
    assert set(PAGE) == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_the_page_has_the_default_in_force(key: str) -> None:
    """`value` for a value, "none" or "all defaults" where there is none, "required" otherwise."""
    field, shown = KEYS[key], PAGE[key]
    if field.is_required():
        assert shown == "required"
    elif field.default is None:
        assert re.match(r"none(:|;|$)", shown)
    elif field.default in ({}, ()):
        assert re.match(r"(none|all defaults|`\[\]`)(:|$)", shown)
    else:
        assert re.match(re.escape(f"`{spelled(field.default)}`") + "(,|$)", shown)


def test_what_the_example_calls_a_default_is_one() -> None:
    """A line whose comment says `default` (not `default:`) has the default's very text."""
    lines = ANNOTATED.read_text(encoding="utf-8").splitlines()
    checked = []
    for key, node in example_keys(ANNOTATED):
        field, line = KEYS[key], lines[node.line - 1]
        if re.search(r"# default(?!:)", line) and not isinstance(field.default, dict):
            if key.endswith((".money", "idle_max", "attempts_max")):
                continue  # the comment there says when it is the default
            children = [item.value for _, item in node.children()]
            assert spelled(field.default) == spelled(children or node.value or []), key
            checked.append(key)
    assert len(checked) > 40


@pytest.mark.parametrize("file", [ANNOTATED, SANDBOX, SHARED], ids=lambda file: file.name)
def test_editors_accept_the_examples(file: Path) -> None:
    """The schema underlines nothing in them."""
    assert _underlined(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("connections_max: 64", "conections_max: 64", ".listen.conections_max"),
        ("connections_max: 64", "connections_max: many", ".listen.connections_max"),
        ("connections_max: 64", "connections_max: 0", ".listen.connections_max"),
        ("connections_max: 64", "timeout_idle: 75", ".listen.timeout_idle"),
        ("connections_max: 64", "timeout_idle: 75sec", ".listen.timeout_idle"),
        ("connections_max: 64", "body_bytes_max: 1MB", ".listen.body_bytes_max"),
        ("connections_max: 64", "token: null", ".listen.token"),
        ("version: 1", "version: 2", ".version"),
        ("url: https://south.example", "addresses: []", ".partners.south.upstreams.south-a.url"),
        ("operation: authorize", "operation: authorise", ".routes[0].operation"),
        ("methods: [POST]", "methods: POST", ".routes[0].match.methods"),
        ("authorize: {", "authorise: {", ".partners.north.operations.authorise"),
        ("north-a:", "north.a:", ".partners.north.upstreams.north.a"),
        ('"402": none', '"402": never', ".partners.north.operations.authorize.execution.402"),
        ("path: /}", "path: x}", ".routes[1].match.path"),
    ],
)
def test_editors_underline_mistakes(old: str, new: str, place: str) -> None:
    """Unknown and missing keys, units, words and bounds."""
    assert place in _underlined(BASE.replace(old, new))


@pytest.mark.parametrize(
    "text",
    [
        BASE.replace("connections_max: 64", "connections_max: ${MAX}"),
        BASE.replace("connections_max: 64", "timeout_idle: ${file:/idle}"),
        BASE.replace("connections_max: 64", "body_bytes_max: 65536"),
        BASE.replace("operation: authorize", "operation: ${OPERATION}"),
        BASE.replace("path: /psp/,", "path: /psp/, host: a.example,"),
    ],
    ids=["number", "duration", "bytes", "word", "one host"],
)
def test_editors_accept_what_the_sidecar_reads(text: str) -> None:
    """References anywhere, sizes in bytes, one host without a list."""
    assert _underlined(text) == []


def test_the_schema_is_json_and_names_its_dialect() -> None:
    """As `tidegate schema` prints it; every key has a description for the editor to show."""
    text = json.dumps(SCHEMA)
    assert json.loads(text)["$schema"].endswith("2020-12/schema")
    assert "null" not in text
    models: list[Any] = [SCHEMA, *SCHEMA["$defs"].values()]
    for model in models:
        assert all("description" in each for each in model["properties"].values())


def test_attributes_are_named_with_their_units() -> None:
    """`timeout_idle` in the file is seconds in the code, and its name there says so."""
    listen = Settings.model_fields["listen"].annotation
    assert listen is not None
    assert {"timeout_header_s", "timeout_body_s", "timeout_idle_s", "timeout_write_s"} <= set(
        listen.model_fields
    )


@pytest.mark.parametrize("file", shipped().values(), ids=shipped())
def test_editors_accept_the_shipped_profiles(file: Path) -> None:
    """A profile has a schema of its own."""
    schema = json_schema(Profile, "Profile")
    text = file.read_text(encoding="utf-8")
    assert list(complaints(yaml.safe_load(text), schema, schema)) == []
    wrong = yaml.safe_load(text.replace("about:", "abuot:"))
    assert ".abuot" in list(complaints(wrong, schema, schema))


def test_editors_know_what_names_a_profile() -> None:
    """A name, a path or a reference."""
    line = "  north:\n    profile: {}\n"
    for written in ("stripe", "partners/own.yaml", "own.yml", "${PROFILE}"):
        assert _underlined(BASE.replace("  north:\n", line.format(written))) == []
    wrong = BASE.replace("  north:\n", line.format("a b"))
    assert _underlined(wrong) == [".partners.north.profile"]


@pytest.mark.parametrize(
    ("more", "kept"),
    [
        ({}, None),
        ({"journal": {"path": "j.db"}}, "j.db.overrides"),
        ({"admin": {"overrides": "o.json"}, "journal": {"path": "j.db"}}, "o.json"),
    ],
)
def test_overrides_are_kept_where_it_is_said_or_beside_the_journals_file(
    tmp_path: Path, more: dict[str, Any], kept: str | None
) -> None:
    """Nowhere without either."""
    written = config.document({"a": config.upstream(1)}, [config.route("/", ["a"])], **more)
    found = load(config.write(tmp_path, written)).settings.overrides_file
    assert found == (None if kept is None else tmp_path / kept)

"""What holds for a partner is shown with the file and line that say so."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from proxy.settings.effective import of_partner, of_profile, profiles
from proxy.settings.problems import SettingsError
from proxy.settings.profile import shipped
from proxy.settings.secret import MASK
from tests.unit.settings.example import changed, line_of, write

NORTH = "  north:\n"


def test_every_shipped_profile_is_listed_with_what_it_is() -> None:
    """One line each."""
    lines = profiles().splitlines()
    assert [line.split()[0] for line in lines] == list(shipped())
    assert all(len(line.split()) > 2 for line in lines)


def test_a_profile_is_shown_with_what_it_extends() -> None:
    """Each value with its file and line."""
    text = of_profile("stripe")
    assert '"424": unknown' in text
    (line,) = (line for line in text.splitlines() if "window: 24h" in line)
    number = line_of(shipped()["stripe"].read_text("utf-8"), "window: 24h")
    assert line.endswith(f"# stripe.yaml:{number}")
    assert "# generic-rest.yaml:" in text


@pytest.mark.parametrize("name", shipped())
def test_what_is_shown_can_be_copied(name: str) -> None:
    """It is YAML, and nothing but facts."""
    facts = yaml.load(of_profile(name), Loader=yaml.BaseLoader)
    assert facts["operations"]["authorize"]["execution"]["5xx"] == "unknown"
    assert not {"name", "about", "extends", "sources"} & facts.keys()


def test_a_partner_is_shown_as_it_is_in_force(tmp_path: Path) -> None:
    """The configuration's lines where it says something, the profile's elsewhere."""
    said = "    profile: stripe\n    idempotency: {window: 6h}\n"
    text = changed((NORTH, NORTH + said))
    shown = of_partner(write(tmp_path, text), "north", {})
    assert f"# tidegate.yaml:{line_of(text, 'window: 6h')}" in shown
    facts = yaml.load(shown, Loader=yaml.BaseLoader)
    assert facts["idempotency"]["window"] == "6h"
    assert facts["idempotency"]["conclusive"] == ["402"]
    assert facts["operations"]["authorize"]["execution"]["402"] == "none"
    assert "upstreams" not in facts


def test_what_came_from_a_reference_is_masked(tmp_path: Path) -> None:
    """Which values are harmless is not ours to guess."""
    text = changed((NORTH, NORTH + "    idempotency: {header: '${NAME}'}\n"))
    shown = of_partner(write(tmp_path, text), "north", {"NAME": "X-Hidden"})
    assert "X-Hidden" not in shown
    assert MASK in shown


def test_a_partner_without_facts_has_none(tmp_path: Path) -> None:
    """Its upstreams are none."""
    assert of_partner(write(tmp_path, changed()), "south", {}) == ""


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    """Of profiles and of partners."""
    with pytest.raises(SettingsError, match="did you mean stripe"):
        of_profile("strip")
    with pytest.raises(SettingsError, match="did you mean north"):
        of_partner(write(tmp_path, changed()), "nort", {})


def test_a_wrong_profile_is_reported_and_not_shown(tmp_path: Path) -> None:
    """With file and line, as by `tidegate check`."""
    path = tmp_path / "own.yaml"
    path.write_text("name: own\nabout: ours\nidempotency: {}\n")
    with pytest.raises(SettingsError, match=r"own.yaml:3: idempotency.header: is missing"):
        of_profile(str(path))

"""A partner gets its profile's facts; what its configuration says wins; mistakes have places."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.model.outcome import Execution
from proxy.settings.partner import Partner
from proxy.settings.problems import Problem
from proxy.settings.profile import shipped
from proxy.settings.profiles import EXTENDS_MAX
from tests.unit.settings.example import changed, line_of, load_text, problems_of

NORTH = "  north:\n"
OWN = """\
name: own
about: A partner of ours.
idempotency:
  header: X-Key
  window: 12h
  conclusive: [402, 422]
operations:
  authorize:
    execution: {"402": none, "5xx": unknown}
volatile: [/sent_at]
"""


def naming(profile: str, *more: str) -> str:
    """The example, whose first partner has a profile and these lines besides."""
    lines = "".join(f"    {line}\n" for line in (f"profile: {profile}", *more))
    return changed((NORTH, NORTH + lines))


def own(directory: Path, text: str, name: str = "own.yaml") -> Path:
    """A profile beside the configuration."""
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def north(directory: Path, text: str) -> Partner:
    """The first partner of a correct configuration."""
    return load_text(directory, text).settings.partners["north"]


def test_a_partner_gets_its_profiles_facts(tmp_path: Path) -> None:
    """All that it does not say itself; what a profile says of itself is not among them."""
    own(tmp_path, OWN)
    partner = north(tmp_path, naming("own.yaml"))
    assert partner.idempotency is not None
    assert (partner.idempotency.header, partner.idempotency.window_s) == ("X-Key", 12 * 3600.0)
    assert partner.volatile == ("/sent_at",)
    assert partner.profile == "own.yaml"


def test_the_configuration_wins_key_by_key(tmp_path: Path) -> None:
    """Mappings are laid together however deep; a list is replaced as a whole."""
    own(tmp_path, OWN)
    said = "idempotency: {window: 6h, conclusive: [410]}"
    partner = north(tmp_path, naming("./own.yaml", said, "volatile: []"))
    keys = partner.idempotency
    assert keys is not None
    assert (keys.header, keys.window_s, keys.conclusive) == ("X-Key", 6 * 3600.0, (410,))
    assert partner.volatile == ()
    assert partner.operations["authorize"].execution == {
        "402": Execution.NONE,
        "5xx": Execution.UNKNOWN,
    }


def test_two_partners_of_one_profile_are_two(tmp_path: Path) -> None:
    """What one of them says changes nothing of the other."""
    own(tmp_path, OWN)
    text = naming("own.yaml", "idempotency: {window: 6h}")
    text = text.replace("  south:\n", "  south:\n    profile: own.yaml\n")
    partners = load_text(tmp_path, text).settings.partners
    windows = {
        name: each.idempotency.window_s for name, each in partners.items() if each.idempotency
    }
    assert windows == {"north": 6 * 3600.0, "south": 12 * 3600.0}


def test_a_profile_may_extend_another(tmp_path: Path) -> None:
    """A shipped one by its name, one of yours by its path from the file that extends it."""
    (tmp_path / "below").mkdir()
    own(tmp_path, "name: top\nabout: a\nextends: below/mid.yaml\nidempotency: {window: 2h}\n")
    own(tmp_path / "below", "name: mid\nabout: a\nextends: stripe\nvolatile: [/a]\n", "mid.yaml")
    partner = north(tmp_path, naming("own.yaml"))
    assert partner.idempotency is not None
    assert (partner.idempotency.window_s, partner.idempotency.length_max) == (2 * 3600.0, 255)
    assert partner.volatile == ("/a",)
    assert partner.operations["refund"].execution["424"] is Execution.UNKNOWN


def test_a_reference_may_name_the_profile(tmp_path: Path) -> None:
    """One file serves the sandbox and production."""
    text = naming("${PROFILE}")
    loaded = load_text(tmp_path, text, {"PROFILE": "stripe"})
    assert loaded.settings.partners["north"].idempotency is not None


def test_a_changed_profile_changes_the_hash(tmp_path: Path) -> None:
    """Two sidecars that know different things are told apart; sources are no facts."""
    own(tmp_path, OWN)
    text = naming("own.yaml")
    first = load_text(tmp_path, text).hash
    own(tmp_path, OWN + "sources: [{page: a letter, says: a day, facts: [idempotency]}]\n")
    assert load_text(tmp_path, text).hash == first
    own(tmp_path, OWN.replace("12h", "11h"))
    assert load_text(tmp_path, text).hash != first


def one_problem(directory: Path, text: str) -> Problem:
    """The only problem of a configuration."""
    (problem,) = problems_of(directory, text)
    return problem


@pytest.mark.parametrize("written", ["stripee", "unheard-of"])
def test_an_unknown_name_is_answered_with_all_names(written: str, tmp_path: Path) -> None:
    """And with the nearest one."""
    text = naming(written)
    problem = one_problem(tmp_path, text)
    assert (problem.path, problem.line) == ("partners.north.profile", line_of(text, written))
    assert all(name in problem.remedy for name in shipped())
    assert ("did you mean stripe?" in problem.remedy) is (written == "stripee")


def test_a_path_to_nothing_is_a_problem_of_the_partner(tmp_path: Path) -> None:
    """A folder is nothing either."""
    for written in ("nowhere.yaml", "./"):
        problem = one_problem(tmp_path, naming(written))
        assert problem.path == "partners.north.profile"
        assert "not there" in problem.message


def test_a_profile_that_cannot_be_read_is_a_problem_of_the_partner(tmp_path: Path) -> None:
    """No traceback for a file that is there and gives nothing."""
    problem = one_problem(tmp_path, naming("/proc/self/mem"))
    assert (problem.path, problem.file) == ("partners.north.profile", "")
    assert "can't be read" in problem.message


@pytest.mark.parametrize(
    ("old", "new", "marker", "path", "remedy"),
    [
        ("window: 12h", "windw: 12h", "windw", "idempotency.windw", "did you mean window?"),
        ("window: 12h", "window: 12", "window", "idempotency.window", "write 3s"),
        ("  header: X-Key\n", "", "idempotency", "idempotency.header", "add header:"),
        ("X-Key", "${KEY}", "${KEY}", "idempotency.header", "belongs into the configuration"),
        ("authorize:", "authorise:", "authorise", "operations.authorise", "authorize"),
        ('"5xx": unknown', '"5xx": maybe', "5xx", "operations.authorize.execution.5xx", "unknown"),
        ("volatile: [/sent_at]", "upstreams: {}", "upstreams", "upstreams", "known here"),
        ("volatile: [/sent_at]", "name: again", "again", "name", "keep one of the two"),
        ("volatile: [/sent_at]", "extends: own.yaml", "extends", "extends", "extend another"),
        ("volatile: [/sent_at]", "extends: nobody", "extends", "extends", "stripe"),
        ("volatile: [/sent_at]", "extends: [a]", "extends", "extends", "write one value"),
        ("volatile: [/sent_at]", "sources: [{page: a}]", "sources", None, "add says:"),
        ("about: A partner of ours.\n", "", "name: own", "about", "add about:"),
    ],
)
def test_a_mistake_in_a_profile_is_reported_in_its_own_file(
    old: str, new: str, marker: str, path: str | None, remedy: str, tmp_path: Path
) -> None:
    """File, line, path and remedy, once, although two partners have the profile."""
    assert OWN.count(old) == 1
    wrong = OWN.replace(old, new)
    file = own(tmp_path, wrong)
    text = naming("own.yaml").replace("  south:\n", "  south:\n    profile: own.yaml\n")
    problem, *others = problems_of(tmp_path, text)
    assert len(others) == (path is None)
    assert problem.file == str(file.resolve())
    assert problem.line == (1 if "about" in old else line_of(wrong, marker))
    assert path is None or problem.path == path
    assert remedy in problem.remedy
    assert problem.render("tidegate.yaml").startswith(f"{problem.file}:{problem.line}: ")


@pytest.mark.parametrize("text", ["", "- a\n", "a: [", "\x00"])
def test_a_file_that_is_no_profile_is_one_problem(text: str, tmp_path: Path) -> None:
    """Whatever it is instead; a profile begins with its name, not with a version."""
    file = own(tmp_path, text)
    problem = one_problem(tmp_path, naming("own.yaml"))
    assert problem.file == str(file.resolve())
    assert "version" not in problem.remedy


def test_a_circle_is_told_where_it_closes(tmp_path: Path) -> None:
    """Whichever profile of it a partner has."""
    own(tmp_path, "name: a\nabout: a\nextends: b.yaml\n", "a.yaml")
    closing = own(tmp_path, "name: b\nabout: b\nextends: a.yaml\n", "b.yaml")
    problem = one_problem(tmp_path, naming("a.yaml"))
    assert (problem.file, problem.line, problem.path) == (str(closing.resolve()), 3, "extends")


def test_a_tower_of_profiles_has_a_height(tmp_path: Path) -> None:
    """A bound, like everything that is read."""
    for index in range(EXTENDS_MAX + 1):
        own(tmp_path, f"name: a\nabout: a\nextends: p{index + 1}.yaml\n", f"p{index}.yaml")
    own(tmp_path, "name: a\nabout: a\n", f"p{EXTENDS_MAX + 1}.yaml")
    assert problems_of(tmp_path, naming("p2.yaml")) == []
    assert "too many" in one_problem(tmp_path, naming("p0.yaml")).message


def test_a_conclusion_is_placed_where_it_can_be_mended(tmp_path: Path) -> None:
    """In the configuration, which wins: at its own key, else where it names the profile."""
    own(tmp_path, OWN)
    text = naming("own.yaml", "idempotency: {margin: 12h}")
    problem = one_problem(tmp_path, text)
    assert problem.path == "partners.north.idempotency.margin"
    assert problem.line == line_of(text, "margin: 12h")
    file = own(tmp_path, OWN.replace("window: 12h", "window: 12h\n  margin: 12h"))
    text = naming("own.yaml")
    problem = one_problem(tmp_path, text)
    assert (problem.path, problem.file) == ("partners.north.idempotency.margin", "")
    assert problem.line == line_of(text, "profile: own.yaml")
    assert problem.message.endswith(f"({file.resolve()}:6)")


def test_a_default_of_a_profile_is_its_profiles(tmp_path: Path) -> None:
    """A window no longer than the default margin: the profile is named, not its missing key."""
    file = own(tmp_path, OWN.replace("window: 12h", "window: 1h"))
    problem = one_problem(tmp_path, naming("own.yaml"))
    assert problem.path == "partners.north.idempotency.margin"
    assert problem.message.endswith(f"({file.resolve()}:3)")


def test_a_doubtful_fact_of_an_own_profile_is_warned_about(tmp_path: Path) -> None:
    """As if it stood in the configuration."""
    file = own(tmp_path, OWN.replace('"5xx": unknown', '"503": none'))
    (warning,) = load_text(tmp_path, naming("own.yaml")).warnings
    assert warning.path == "partners.north.operations.authorize.execution.503"
    assert str(file.resolve()) in warning.message

"""A file becomes settings, or a complete and silent report of what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.settings.load import Problem, SettingsError, load, read
from tests.unit.settings.example import BASE, changed, line_of, load_text, problems_of, write
from tests.unit.settings.mistakes import MISTAKES, Mistake


def test_a_correct_file_has_neither_problems_nor_warnings(tmp_path: Path) -> None:
    """What is right is not complained about."""
    loaded = load_text(tmp_path, BASE)
    assert loaded.warnings == []
    assert loaded.path == tmp_path / "tidegate.yaml"
    assert [route.name for route in loaded.settings.routes] == ["charges", "rest"]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_reported_with_place_and_remedy(mistake: Mistake, tmp_path: Path) -> None:
    """One mistake is one problem: path, line and what to write instead."""
    text = changed((mistake.old, mistake.new))
    found = problems_of(tmp_path, text)
    assert [problem.path for problem in found] == [mistake.path]
    assert found[0].line == line_of(text, mistake.marker)
    assert mistake.remedy in found[0].remedy


def test_all_mistakes_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    """A reader fixes a file once: neither kind nor place of a mistake hides another."""
    text = changed(
        ("version: 1", "version: 3"),
        ("address: 127.0.0.1:8080", "address: 0.0.0.0:8080"),
        ("connections_max: 64", "conections_max: 64"),
        ('{"402": none}', '{"402": never}'),
        ("url: https://a.north.example", "url: http://a.north.example"),
        ("pool: {connections_max: 32}", "pool: {connections_max: 2, idle_max: 3, prewarm: x}"),
        ("        url: https://b.north.example\n", "        urll: ${NOT_SET}\n"),
        ("name: charges", "name: rest"),
        ("operation: authorize", "operation: authorize\n    operation: void"),
        ("candidates: [north-a, north-b]", "candidates: [north-c, north-b]"),
        ("match: {path: /}", "match: {pathh: /}"),
    )
    assert [problem.path for problem in problems_of(tmp_path, text)] == [
        "version",
        "listen.address",
        "listen.conections_max",
        "partners.north.operations.authorize.execution.402",
        "partners.north.upstreams.north-a.url",
        "partners.north.upstreams.north-a.pool.idle_max",
        "partners.north.upstreams.north-a.pool.prewarm",
        "partners.north.upstreams.north-b.url",
        "partners.north.upstreams.north-b.urll",
        "routes[0].operation",
        "routes[0].candidates[0]",
        "routes[1].name",
        "routes[1].match.path",
        "routes[1].match.pathh",
    ]


def test_a_conclusion_from_something_wrong_is_not_drawn(tmp_path: Path) -> None:
    """A token that can't be read is one problem, not also a missing token."""
    text = changed(("address: 127.0.0.1:8080", 'address: 0.0.0.0:8080\n  token: "${NOT_SET}"'))
    assert [problem.path for problem in problems_of(tmp_path, text)] == ["listen.token"]


def test_the_report_is_two_lines_for_each_problem(tmp_path: Path) -> None:
    """file:line: path: message, then the remedy; in the order of the file."""
    path = write(tmp_path, changed(("version: 1", "version: 2"), ("admin:", "admim:")))
    with pytest.raises(SettingsError) as caught:
        load(path, {})
    assert str(caught.value).splitlines() == [
        f"{path}:1: version: is a version that this sidecar can't read",
        "  remedy: write version: 1",
        f"{path}:5: admim: is not a key known here",
        "  remedy: did you mean admin?",
    ]


def test_a_file_that_cannot_be_read_is_a_problem_too(tmp_path: Path) -> None:
    """No traceback for a wrong path or a directory."""
    for path in (tmp_path / "nowhere.yaml", tmp_path):
        with pytest.raises(SettingsError, match="can't be read"):
            load(path, {})


def test_the_environment_of_the_process_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """References read os.environ when no other mapping is given."""
    monkeypatch.setenv("TIDEGATE_TEST_ROUTE", "from-environment")
    path = write(tmp_path, changed(("name: charges", "name: ${TIDEGATE_TEST_ROUTE}")))
    assert load(path).settings.routes[0].name == "from-environment"


def test_routes_know_their_lines(tmp_path: Path) -> None:
    """`tidegate explain` says where a route stands."""
    routes = load_text(tmp_path, BASE).settings.routes
    assert [route.line for route in routes] == [
        line_of(BASE, "name: charges"),
        line_of(BASE, "name: rest"),
    ]


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    """Where the sidecar is started from changes nothing."""
    (tmp_path / "ca.pem").write_text("x")
    text = changed(("pool: {connections_max: 32}", "tls: {ca_file: ca.pem}"))
    tls = load_text(tmp_path, text).settings.partners["north"].upstreams["north-a"].tls
    assert tls is not None
    assert tls.ca_file == str(tmp_path / "ca.pem")


_FRAGMENTS = st.sampled_from(
    [*"\n:-[]{}&*!|>'\"%@`,#?$ ", "  ", "\n  - ", ": ", "${", "}", "<<: ", "&a ", "*a", "1", "null"]
)


@given(st.data())
def test_no_damage_to_a_file_ends_in_anything_but_a_report(data: st.DataObject) -> None:
    """Whatever is cut out or put in: settings or problems with remedies, never a crash."""
    start = data.draw(st.integers(0, len(BASE)))
    end = data.draw(st.integers(start, min(len(BASE), start + 80)))
    inserted = "".join(data.draw(st.lists(_FRAGMENTS, max_size=5)))
    text = BASE[:start] + inserted + BASE[end:]
    try:
        found = read(text.encode(), Path("/nowhere/tidegate.yaml"), {}).warnings
    except SettingsError as error:
        found = error.problems or [Problem("", None, "", "")]
    assert all(problem.message and problem.remedy for problem in found)

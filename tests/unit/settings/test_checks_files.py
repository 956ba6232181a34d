"""`proxy.settings.checks_files`: no file that the sidecar writes takes another one's place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.example import BASE, problems_of

JOURNAL = "journal: {path: j.db}\n"


def _overrides(file: str) -> str:
    address = "  address: 127.0.0.1:8081\n"
    return BASE.replace(address, f"{address}  overrides: {file}\n")


@pytest.mark.parametrize(
    ("said", "place"),
    [
        (JOURNAL + "incidents: {file: j.db}\n", "incidents.file"),
        (JOURNAL + "incidents: {file: ./x/../j.db}\n", "incidents.file"),
        (JOURNAL + "incidents: {file: j.db-wal}\n", "incidents.file"),
        (JOURNAL + "incidents: {file: j.db.keys}\n", "incidents.file"),
        (JOURNAL + "incidents: {file: linked}\n", "incidents.file"),
        (JOURNAL + "incidents: {file: j.db.overrides}\n", "incidents.file"),
        (JOURNAL + "dns: {snapshot: j.db}\n", "dns.snapshot"),
        ("dns: {snapshot: s}\nincidents: {file: s}\n", "incidents.file"),
        ("dns: {snapshot: s.new}\nincidents: {file: s}\n", "incidents.file"),
    ],
)
def test_a_file_that_another_one_has_is_a_mistake(tmp_path: Path, said: str, place: str) -> None:
    """In the journal's place it would make every payment look new."""
    (tmp_path / "x").mkdir()
    (tmp_path / "linked").symlink_to("j.db")
    (problem,) = problems_of(tmp_path, BASE + said)
    assert problem.path == place
    assert "a name of its own" in problem.remedy


@pytest.mark.parametrize(("file", "path"), [("j.db", "admin.overrides"), ("j.db.incidents", "")])
def test_so_is_an_operators_file(tmp_path: Path, file: str, path: str) -> None:
    """Beside one whose name nobody has written as well."""
    (problem,) = problems_of(tmp_path, _overrides(file) + JOURNAL)
    assert problem.path in (path, "incidents.file")
    assert "is a file that is something else's" in problem.message


def test_what_stands_beside_the_journal_is_no_mistake(tmp_path: Path) -> None:
    """Nor are files with names of their own."""
    assert problems_of(tmp_path, BASE + JOURNAL) == []
    said = JOURNAL + "dns: {snapshot: s}\nincidents: {file: i}\n"
    assert problems_of(tmp_path, _overrides("o") + said) == []

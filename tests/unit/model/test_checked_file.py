"""Rules for a file that is replaced as a whole and known to be what was written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proxy.model import checked_file
from proxy.model.checked_file import FileError


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """In a folder that is made for it; nothing is left beside it, and only its owner reads it."""
    path = tmp_path / "folder" / "file"
    assert checked_file.read(path, "names") is None
    contents: tuple[object, ...] = ({"a": [1, "é"]}, [])
    for content in contents:
        checked_file.write(path, "names", content)
        assert checked_file.read(path, "names") == content
    assert [each.name for each in path.parent.iterdir()] == ["file"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"schema": 1, "names": {}, "sha256": "0"}',
        b"\xff",
    ],
)
def test_what_was_not_written_so_is_damaged(tmp_path: Path, damage: bytes) -> None:
    """Torn, of another kind, nested without end, or changed behind our back."""
    path = tmp_path / "file"
    path.write_bytes(damage)
    with pytest.raises(FileError, match="is damaged; it is not used"):
        checked_file.read(path, "names")


def test_of_another_name_is_damaged(tmp_path: Path) -> None:
    """One file is not taken for another."""
    checked_file.write(tmp_path / "file", "overrides", [])
    with pytest.raises(FileError, match="damaged"):
        checked_file.read(tmp_path / "file", "names")


def test_a_pipe_in_its_place_does_not_hold_up_the_start(tmp_path: Path) -> None:
    """Nobody writes into it, and nobody waits for it."""
    os.mkfifo(tmp_path / "file")
    with pytest.raises(FileError, match="damaged"):
        checked_file.read(tmp_path / "file", "names")


def test_a_link_beside_it_is_not_followed(tmp_path: Path) -> None:
    """What it leads to stays as it was; the next writing has its way."""
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / "file.new").symlink_to(other)
    with pytest.raises(FileError, match="cannot be written"):
        checked_file.write(tmp_path / "file", "names", [])
    assert other.read_text() == "mine"
    checked_file.write(tmp_path / "file", "names", [])
    assert checked_file.read(tmp_path / "file", "names") == []


def test_the_place_is_named(tmp_path: Path) -> None:
    """With the system's reason."""
    (tmp_path / "file").mkdir()
    with pytest.raises(FileError, match=r"file cannot be written"):
        checked_file.write(tmp_path / "file", "names", [])
    (tmp_path / "plain").write_text("")
    with pytest.raises(FileError, match=r"below cannot be read: Not a directory"):
        checked_file.read(tmp_path / "plain" / "below", "names")

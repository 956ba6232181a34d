"""`proxy.routing.kept`: what was written is read, and nothing else is taken for it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from proxy.model import checked_file
from proxy.model.checked_file import FileError
from proxy.model.standing import Kind
from proxy.routing import kept
from proxy.routing.kept import Kept

DRAIN = Kept(Kind.DRAIN, "", "a", "maintenance", "ann", 1.0, 3601.5, 3600.0)
FORCE = Kept(Kind.FORCE, "charges", "b", "größere Störung", "bob", 2.0, 62.0, 60.0)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Whole, in its order; folders are made, and nothing is left beside it."""
    path = tmp_path / "new" / "overrides"
    kept.write(path, [DRAIN, FORCE])
    assert kept.read(path) == [DRAIN, FORCE]
    kept.write(path, [])
    assert kept.read(path) == []
    assert os.listdir(path.parent) == ["overrides"]


def test_nothing_was_written_yet(tmp_path: Path) -> None:
    """A first start has no trouble."""
    assert kept.read(tmp_path / "none") == []


@pytest.mark.parametrize("cut", range(0, 400, 37))
def test_what_is_cut_or_changed_is_damaged(tmp_path: Path, cut: int) -> None:
    """At any place; the message names the file."""
    path = tmp_path / "overrides"
    kept.write(path, [DRAIN])
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[cut % len(whole)] ^= 0x04
    for damaged in (whole[: cut % len(whole)], bytes(changed)):
        path.write_bytes(damaged)
        with pytest.raises(FileError, match=r"overrides is damaged"):
            kept.read(path)


@pytest.mark.parametrize(
    "content", [[{"kind": "drain"}], [{}], ["x"], {"a": 1}, 7, [{"kind": "x", "route": ""}]]
)
def test_another_form_is_damaged(tmp_path: Path, content: object) -> None:
    """Also with a digest that is right."""
    path = tmp_path / "overrides"
    digest = checked_file.digest(content)
    path.write_text(json.dumps({"schema": 1, "overrides": content, "sha256": digest}))
    with pytest.raises(FileError, match="damaged"):
        kept.read(path)


def test_values_of_another_type_are_damaged(tmp_path: Path) -> None:
    """A number where a name belongs, no instant, what a terminal obeys, a drain of a route."""
    path = tmp_path / "overrides"
    good = {"kind": "drain", "route": "", "upstream": "a", "reason": "r", "by": "b",
            "since": 1.0, "until": 2.0, "lasts_s": 1.0}  # fmt: skip
    for wrong in (
        {"upstream": 7}, {"since": "x"}, {"lasts_s": None}, {"until": 10**400},
        {"since": float("nan")}, {"until": float("inf")}, {"reason": "\x1b[2J"},
        {"route": "charges"}, {"kind": "force"},
    ):  # fmt: skip
        content = [{**good, **wrong}]
        digest = checked_file.digest(content)
        path.write_text(json.dumps({"schema": 1, "overrides": content, "sha256": digest}))
        with pytest.raises(FileError, match="damaged"):
            kept.read(path)


def test_a_place_that_cannot_be_written_or_read_is_named(tmp_path: Path) -> None:
    """And what was there before is still there."""
    path = tmp_path / "overrides"
    kept.write(path, [DRAIN])
    (tmp_path / "overrides.new").mkdir()
    with pytest.raises(FileError, match=r"overrides cannot be written: "):
        kept.write(path, [FORCE])
    assert kept.read(path) == [DRAIN]
    with pytest.raises(FileError, match="cannot be read: "):
        kept.read(tmp_path)


def test_none_lasts_longer_than_it_may_be_asked_for(tmp_path: Path) -> None:
    """Whoever wrote the file."""
    path = tmp_path / "overrides"
    kept.write(path, [Kept(Kind.DRAIN, "", "a", "r", "b", 1.0, 1e9, 1e9)])
    (found,) = kept.read(path)
    assert found.lasts_s == 7 * 86_400.0

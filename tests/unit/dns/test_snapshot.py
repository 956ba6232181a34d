"""Rules for the addresses on the disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.dns.snapshot import Remembered, read, write
from proxy.model.checked_file import FileError

NAMES = {
    "api.partner.example": Remembered(
        ("192.0.2.1", "192.0.2.2"), ("2001:db8::1",), 1_800_000_000.5
    ),
    "b.partner.example private": Remembered(("10.0.0.1",), (), 1_800_000_001.0),
}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """In a folder that may not exist yet; nothing else is left there."""
    path = tmp_path / "var" / "dns.json"
    assert read(path) == {}
    write(path, NAMES)
    write(path, NAMES)
    assert read(path) == NAMES
    assert [each.name for each in path.parent.iterdir()] == ["dns.json"]


DAMAGE: dict[str, Callable[[str], str]] = {
    "cut": lambda text: text[:-20],
    "empty": lambda _: "",
    "another document": lambda _: "[]",
    "altered": lambda text: text.replace("192.0.2.1", "192.0.2.9"),
    "another format": lambda text: text.replace('"schema": 1', '"schema": 2'),
    "nested": lambda _: "[" * 100_000,
    "no names": lambda text: json.dumps({**json.loads(text), "names": 7}),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_one_is_not_used(tmp_path: Path, how: str) -> None:
    """Cut, altered, of another format."""
    path = tmp_path / "dns.json"
    write(path, NAMES)
    path.write_text(DAMAGE[how](path.read_text()))
    with pytest.raises(FileError, match=r"is damaged; it is not used"):
        read(path)


def test_what_is_no_address_is_damage_even_with_a_digest(tmp_path: Path) -> None:
    """It would go to connect()."""
    path = tmp_path / "dns.json"
    write(path, {"n": Remembered(("not an address",), (), 1.0)})
    with pytest.raises(FileError, match=r"damaged"):
        read(path)


def test_a_place_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """Writing and reading."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError, match=r"cannot be written"):
        write(tmp_path / "file" / "dns.json", NAMES)
    with pytest.raises(FileError, match=r"cannot be read"):
        read(tmp_path)


@pytest.mark.parametrize("good_at", [float("nan"), float("inf"), 10**400])
def test_an_instant_that_is_none_is_damage(tmp_path: Path, good_at: float) -> None:
    """Also where the digest is right: whoever can write the file can make one."""
    path = tmp_path / "dns.json"
    content = {"a.example": {"ipv4": ["192.0.2.1"], "ipv6": [], "good_at": good_at}}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({"schema": 1, "names": content, "sha256": digest}))
    with pytest.raises(FileError, match="damaged"):
        read(path)

"""Rules for the keys beside a journal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proxy.idempotency.keyring import key_file, open_keyring
from proxy.model.errors import StartError


def test_keys_are_made_once(tmp_path: Path) -> None:
    """Readable by the owner alone; the second opening finds them."""
    journal = tmp_path / "new" / "j.db"
    first = open_keyring(journal, {})
    assert first.made
    assert key_file(journal).stat().st_mode & 0o777 == 0o600
    second = open_keyring(journal, {})
    assert not second.made
    assert (second.secret, second.sealing) == (first.secret, first.sealing)
    assert open_keyring(tmp_path / "other.db", {}).secret != first.secret


def test_configured_keys_seal_and_the_made_one_still_opens(tmp_path: Path) -> None:
    """In the order of the file, the made one last; the secret of fingerprints never changes."""
    made = open_keyring(tmp_path / "j.db", {})
    rotated = open_keyring(tmp_path / "j.db", {"b": b"b" * 32, "a": b"a" * 32})
    assert list(rotated.sealing) == ["b", "a", "generated"]
    assert rotated.sealing["generated"] == made.sealing["generated"]
    assert rotated.secret == made.secret


def test_a_journal_that_lost_its_keys_is_no_journal(tmp_path: Path) -> None:
    """New ones would make every known payment look new."""
    journal = tmp_path / "j.db"
    journal.write_bytes(b"rows")
    with pytest.raises(StartError, match=r"lost its keys .*restore"):
        open_keyring(journal, {})
    assert not key_file(journal).exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"secret": "00", "sealing": "00"}', "null"])
def test_damaged_keys_are_refused(tmp_path: Path, content: str) -> None:
    """And never made anew."""
    path = key_file(tmp_path / "j.db")
    path.write_text(content, encoding="ascii")
    path.chmod(0o600)
    with pytest.raises(StartError, match="damaged"):
        open_keyring(tmp_path / "j.db", {})
    assert path.read_text(encoding="ascii") == content


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    """With the command that mends it."""
    open_keyring(tmp_path / "j.db", {})
    key_file(tmp_path / "j.db").chmod(0o640)
    with pytest.raises(StartError, match="chmod 600"):
        open_keyring(tmp_path / "j.db", {})


def test_keys_that_cannot_be_made_or_read_are_one_sentence(tmp_path: Path) -> None:
    """It names the file."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StartError, match=r"cannot be made"):
        open_keyring(tmp_path / "file" / "j.db", {})
    key_file(tmp_path / "j.db").mkdir(mode=0o700)
    with pytest.raises(StartError, match=r"cannot be read"):
        open_keyring(tmp_path / "j.db", {})


def test_no_repr_shows_a_key(tmp_path: Path) -> None:
    """Neither its bytes nor its digits."""
    keyring = open_keyring(tmp_path / "j.db", {})
    kept = json.loads(key_file(tmp_path / "j.db").read_text(encoding="ascii"))
    assert kept["secret"] not in repr(keyring)
    assert repr(keyring) == "Keyring(***)"

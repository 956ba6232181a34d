"""Rules for the room that is kept back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proxy.idempotency import ballast
from proxy.idempotency.ballast import Ballast


def test_room_is_held_given_back_once_and_taken_again(tmp_path: Path) -> None:
    """Really allocated: a sparse file would keep nothing."""
    path = tmp_path / "ballast"
    held = Ballast(path)
    assert held.held
    assert path.stat().st_blocks * 512 >= ballast.BALLAST_BYTES
    assert held.release()
    assert not path.exists()
    assert not held.release()
    assert held.restore()
    assert held.held


def test_where_there_is_no_room_there_is_no_ballast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no half of it."""

    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    held = Ballast(tmp_path / "ballast")
    assert not held.held
    assert not (tmp_path / "ballast").exists()
    assert not held.release()

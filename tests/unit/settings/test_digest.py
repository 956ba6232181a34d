"""The hash tells configurations apart by what is in force, and tells nothing of secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.example import BASE, changed, load_text

TOKEN = ("connections_max: 64", "connections_max: 64\n  token: ${TOKEN}")
SECRET = "a-token-of-decent-length"


def _hash(directory: Path, text: str, environ: dict[str, str] | None = None) -> str:
    return load_text(directory, text, environ).hash


@pytest.mark.parametrize(
    "same",
    [
        changed(("address: 127.0.0.1:8080", "address: '127.0.0.1:8080' # comment")),
        changed(("connections_max: 64", "connections_max: 64\n  timeout_idle: 75s")),
        changed(("connections_max: 64", "connections_max: 64\n  timeout_drain: 0.5m")),
        changed(("version: 1\n", ""), ("routes:", "version: 1\nroutes:")),
    ],
    ids=["spelling", "default written out", "another unit", "order of keys"],
)
def test_equal_meaning_is_an_equal_hash(same: str, tmp_path: Path) -> None:
    """How it is written makes no difference."""
    assert _hash(tmp_path, same) == _hash(tmp_path, BASE)


@pytest.mark.parametrize(
    "change",
    [
        ("connections_max: 64", "connections_max: 65"),
        ("candidates: [north-a, north-b]", "candidates: [north-b, north-a]"),
        ('{"402": none}', '{"402": unknown}'),
        ("https://south.example", "https://south.example:444"),
    ],
)
def test_another_meaning_is_another_hash(change: tuple[str, str], tmp_path: Path) -> None:
    """Order of candidates included."""
    assert _hash(tmp_path, changed(change)) != _hash(tmp_path, BASE)


def test_a_rotated_secret_shows(tmp_path: Path) -> None:
    """Two sidecars of which one was not restarted differ."""
    text = changed(TOKEN)
    one = _hash(tmp_path, text, {"TOKEN": SECRET})
    assert one == _hash(tmp_path, text, {"TOKEN": SECRET})
    assert one != _hash(tmp_path, text, {"TOKEN": SECRET + "-2"})


def test_a_secret_is_not_confirmed_by_the_hash(tmp_path: Path) -> None:
    """Of any hundred thousand guesses about one in 65,536 has the same hash: no proof."""
    from proxy.settings.digest import _shortened

    wanted = _shortened(SECRET)
    matching = [n for n in range(200_000) if _shortened(f"guess-{n}-of-some-length") == wanted]
    assert matching
    text = changed(TOKEN)
    guess = f"guess-{matching[0]}-of-some-length"
    assert _hash(tmp_path, text, {"TOKEN": guess}) == _hash(tmp_path, text, {"TOKEN": SECRET})

"""`proxy.settings.build_setup`: all that a process is told which serves a configuration."""

from __future__ import annotations

import json
from pathlib import Path

from proxy.model.setup import Dns, Place, RetryBudget, Setup
from proxy.settings.build import build
from proxy.settings.build_setup import build_setup
from proxy.settings.load import load
from proxy.settings.shown import shown
from tests.unit.settings.example import BASE, annotated, load_text, shared

_ENVIRON = {
    "NORTHPAY_KEY": "key-of-northpay",
    "TIDEGATE_JOURNAL_URL": "postgresql://me:hunter2@db.example/pay",
}


def _setup(file: Path) -> Setup:
    return build_setup(load(file, _ENVIRON))


def test_listeners_have_their_bounds_and_tokens(tmp_path: Path) -> None:
    """As written, and by default; a mode is a number, a token bytes."""
    text = BASE.replace("127.0.0.1:8081", "unix:/run/t.sock\n  unix_mode: '0660'\n  token: '${T}'")
    setup = build_setup(load_text(tmp_path, text, {"T": "sesame-sesame-sesame-0815"}))
    assert setup.listen.place == Place("127.0.0.1", 8080, None, 0o600)
    assert (setup.listen.connections_max, setup.listen.in_flight_max) == (64, 512)
    assert (setup.listen.token, setup.listen.timeout_drain_s) == (None, 30.0)
    assert setup.admin.place == Place("", 0, "/run/t.sock", 0o660)
    assert setup.admin.token == b"sesame-sesame-sesame-0815"


def test_what_is_not_written_has_its_default(tmp_path: Path) -> None:
    """And what is off is None."""
    loaded = load_text(tmp_path, BASE)
    setup = build_setup(loaded)
    assert (setup.journal, setup.exporting, setup.overrides_file) == (None, None, None)
    assert (setup.log_calls, setup.sample_ratio) == (True, 0.0)
    assert setup.retry_budget == RetryBudget(0.2, 10.0, 3)
    assert setup.dns == Dns((), 1.0, 5.0, 300.0, 86_400.0, 30.0, None)
    assert setup.built == build(loaded.settings)
    assert setup.hash == loaded.hash


def test_a_journal_has_its_keys_as_bytes(tmp_path: Path) -> None:
    """In a file or in a database."""
    journal = _setup(annotated(tmp_path)).journal
    assert journal is not None
    assert journal.path is not None
    assert journal.shared is None
    assert list(journal.sealing_keys.values()) == [b"\x5e" * 32]
    journal = _setup(shared(tmp_path)).journal
    assert journal is not None
    assert journal.path is None
    assert journal.shared is not None
    assert journal.shared.url == _ENVIRON["TIDEGATE_JOURNAL_URL"]
    assert journal.shared.secret == b"\x5e" * 32


def test_what_the_dashboard_shows_is_made_already(tmp_path: Path) -> None:
    """It needs the models of the settings, and who serves has none."""
    loaded = load(annotated(tmp_path), _ENVIRON)
    assert json.loads(build_setup(loaded).shown) == shown(loaded.settings)


def test_no_credential_is_in_its_text(tmp_path: Path) -> None:
    """A repr may end in a traceback."""
    for example in (annotated, shared):
        text = repr(_setup(example(tmp_path)))
        for secret in ("contents-of-a-file", "5e5e", "^^^^", "sesame", "hunter2", "key-of-north"):
            assert secret not in text

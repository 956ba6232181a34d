"""Rules for what a file may say about the journal and about keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from proxy.model.message import NEVER_STORED
from proxy.model.route import KeyFrom
from proxy.settings.journal import Idempotency, Inquiry, OwnKeys, Reversal
from tests.unit.settings.example import BASE, load_text, problems_of

JOURNAL = BASE + "journal:\n  path: var/j.db\n"


def test_a_journal_needs_a_path_and_nothing_else(tmp_path: Path) -> None:
    """A relative one starts at the configuration file."""
    journal = load_text(tmp_path, JOURNAL).settings.journal
    assert journal is not None
    assert journal.path is not None
    assert journal.path.endswith("/var/j.db")
    assert (journal.retention_s, journal.timeout_commit_s) == (30 * 24 * 3600.0, 1.0)
    assert journal.sealing_keys == ()
    assert (journal.in_doubt_alarm_s, journal.never_store) == (300.0, NEVER_STORED)
    assert load_text(tmp_path, BASE).settings.journal is None


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ("  path: j.db\n  retention: 1m\n", "journal.retention"),
        ("  path: j.db\n  timeout_commit: 1ms\n", "journal.timeout_commit"),
        ("  path: j.db\n  in_doubt_alarm: 1ms\n", "journal.in_doubt_alarm"),
        ("  path: j.db\n  never_store: [a b]\n", "journal.never_store[0]"),
        ("  path: j.db\n  sealing_keys: [{id: a, key: abc}]\n", "journal.sealing_keys[0].key"),
        ("  retention: 30h\n", "journal"),
        ("  shared: {url: mysql://h/d}\n", "journal.shared.url"),
        ("  shared: {url: postgresql://h}\n", "journal.shared.url"),
        ("  shared: {url: 'postgresql://h:x/d'}\n", "journal.shared.url"),
        ("  shared: {url: postgresql://h/d}\n", "journal.shared.secret"),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, wrong: str, place: str) -> None:
    """And no key is shown."""
    found = problems_of(tmp_path, BASE + "journal:\n" + wrong)
    assert place in [problem.path for problem in found]
    assert "abc" not in " ".join(problem.message for problem in found)


def test_a_shared_journal_needs_a_url_a_secret_and_a_sealing_key(tmp_path: Path) -> None:
    """The URL may hold a password, so none of them is shown."""
    seal = "5e" * 32
    text = BASE + (
        "journal:\n  shared: {url: 'postgresql://me:hunter2@db/pay', secret: 'SEAL'}\n"
        "  sealing_keys: [{id: a, key: SEAL}]\n"
    ).replace("SEAL", seal)
    settings = load_text(tmp_path, text).settings
    assert settings.journal is not None
    shared = settings.journal.shared
    assert shared is not None
    assert (shared.lease_s, shared.connections_max) == (10.0, 8)
    assert shared.url.reveal() == "postgresql://me:hunter2@db/pay"
    assert "hunter2" not in repr(settings)
    assert seal not in repr(settings)


def test_a_sealing_key_is_shown_nowhere(tmp_path: Path) -> None:
    """It is 32 bytes by reference."""
    key = "ab" * 32
    text = JOURNAL + "  sealing_keys: [{id: k1, key: '${SEAL}'}]\n"
    loaded = load_text(tmp_path, text, {"SEAL": key})
    assert loaded.settings.journal is not None
    assert loaded.settings.journal.sealing_keys[0].key.reveal() == key
    assert key not in repr(loaded.settings)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("off", None),
        ("optional", KeyFrom.OPTIONAL),
        ("required", KeyFrom.REQUIRED),
        ("fields", KeyFrom.FIELDS),
    ],
)
def test_where_a_key_comes_from(word: str, expected: KeyFrom | None) -> None:
    """In the words of the documentation."""
    assert Idempotency.model_validate({"key": word}).key_from is expected


@pytest.mark.parametrize(
    ("model", "content"),
    [
        (Idempotency, {"key": "always"}),
        (Idempotency, {"fields": ["reference"]}),
        (Idempotency, {"fields": ["/a~2"]}),
        (Idempotency, {"length_max": 256}),
        (OwnKeys, {}),
        (OwnKeys, {"header": "Idempotency Key"}),
        (OwnKeys, {"header": "K", "conclusive": [200]}),
        (Inquiry, {"reference": "/r", "target": "/p", "found": "/id"}),
        (Inquiry, {"reference": "/r", "target": "/p?x={reference} y", "found": "/id"}),
        (Inquiry, {"reference": "/r", "target": "p/{reference}", "found": "/id"}),
        (Reversal, {"reference": "/r", "target": "void"}),
        (Reversal, {"reference": "/r", "target": "/void", "method": "GET"}),
        (Reversal, {"reference": "/r", "target": "/void", "body": "{reference}"}),
        (Reversal, {"reference": "/r", "target": "/void", "body": '{"a": "{reference}"'}),
        (Reversal, {"reference": "/r", "target": "/void", "done_statuses": [100]}),
    ],
)
def test_what_cannot_be_meant_is_refused(model: Any, content: dict[str, Any]) -> None:
    """Words, pointers, headers and targets."""
    with pytest.raises(ValueError, match=r"validation error"):
        model.model_validate(content)


def test_the_rest_has_defaults() -> None:
    """Those that docs/configuration.md gives reasons for."""
    own = OwnKeys.model_validate({"header": "Idempotency-Key"})
    assert (own.length_max, own.window_s, own.margin_s) == (64, 86_400.0, 3600.0)
    assert own.conclusive == (402,)
    inquiry = Inquiry.model_validate(
        {"reference": "/r", "target": "/p/{reference}", "found": "/id"}
    )
    assert (inquiry.absent_statuses, inquiry.absent_after_s) == ((404,), 120.0)
    reversal = Reversal.model_validate({"reference": "/r", "target": "/void/{reference}"})
    assert (reversal.method, reversal.body) == ("POST", None)
    assert (reversal.done_statuses, reversal.nothing_statuses) == ((200, 201), (404,))
    assert (reversal.after_s, reversal.absent_after_s) == (30.0, 120.0)

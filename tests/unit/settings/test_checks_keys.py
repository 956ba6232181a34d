"""Rules for mistakes about keys that no single setting can know."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.example import BASE, changed, load_text, problems_of

JOURNAL = "journal: {path: j.db}\n"
SEAL = "ab" * 32
ASKED = """\
  north:
    volatile: [/sent_at, /ref]
    inquiries:
      authorize: {reference: /ref, target: '/p?r={reference}', found: /id}
"""
SHARED = f"{{url: postgresql://h/d, secret: {SEAL}}}"
KEYS = f"[{{id: a, key: {SEAL}}}]"


def with_route(said: str) -> str:
    """The example with this rule on its first route."""
    return changed(("    operation: authorize\n", f"    idempotency: {said}\n"))


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (with_route("{key: required}"), "routes[0].idempotency", "needs a journal"),
        (with_route("{key: fields}") + JOURNAL, "routes[0].idempotency", "names none"),
        (
            with_route("{key: required, fields: [/a]}") + JOURNAL,
            "routes[0].idempotency.fields",
            "are not used",
        ),
        (
            changed(("  north:\n", "  north:\n    idempotency: {header: K, window: 1h}\n")),
            "partners.north.idempotency.margin",
            "nothing is ever repeated",
        ),
        (
            changed(("  north:\n", ASKED)),
            "partners.north.volatile[1]",
            "is the reference",
        ),
        (
            BASE
            + "journal:\n  path: j.db\n  sealing_keys:\n"
            + f"    - {{id: a, key: {SEAL}}}\n" * 2,
            "journal.sealing_keys[1].id",
            "another key's id",
        ),
        (BASE + "journal: {retention: 30h}\n", "journal", "has no place"),
        (
            BASE + f"journal: {{path: j.db, shared: {SHARED}, sealing_keys: {KEYS}}}\n",
            "journal.path",
            "is not used beside shared",
        ),
        (BASE + f"journal: {{shared: {SHARED}}}\n", "journal.sealing_keys", "are needed"),
    ],
)
def test_a_mistake_is_named_with_place_and_remedy(
    tmp_path: Path, text: str, place: str, words: str
) -> None:
    """One problem, and what to do about it."""
    (problem,) = problems_of(tmp_path, text)
    assert (problem.path, words in problem.message) == (place, True)
    assert problem.remedy
    assert SEAL not in str(problem)


@pytest.mark.parametrize(
    "text",
    [
        with_route("{key: off}"),
        with_route("{key: off, fields: [/a]}"),
        with_route("{key: fields, fields: [/a]}") + JOURNAL,
        BASE + JOURNAL,
    ],
)
def test_what_makes_sense_is_accepted(tmp_path: Path, text: str) -> None:
    """Keys that are off need no journal."""
    assert problems_of(tmp_path, text) == []


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("    idempotency: {header: K}\n", "idempotency"),
        ("    settle: {authorize: wait}\n", "settle"),
    ],
)
def test_what_needs_a_journal_is_not_passed_over_without_one(
    said: str, key: str, tmp_path: Path
) -> None:
    """A partner's keys and settle modes do nothing then; nobody would notice before an outage."""
    text = changed(("  north:\n", "  north:\n" + said))
    (warning,) = load_text(tmp_path, text).warnings
    assert (warning.path, "journal" in warning.remedy) == (f"partners.north.{key}", True)
    assert load_text(tmp_path, text + JOURNAL).warnings == []


def test_a_route_that_turns_keys_off_is_warned_of_where_calls_would_be_settled(
    tmp_path: Path,
) -> None:
    """Calls without a key are in no journal, so nobody settles them."""
    operation = "    operation: authorize\n"
    changes = [(operation, operation + "    idempotency: {key: off}\n")]
    assert load_text(tmp_path, changed(*changes) + JOURNAL).warnings == []
    changes.append(("  north:\n", "  north:\n    settle: {authorize: wait}\n"))
    (warning,) = load_text(tmp_path, changed(*changes) + JOURNAL).warnings
    assert warning.path == "routes[0].idempotency.key"
    assert "settle" in warning.message

"""`proxy.health.record`: an incident as a document and back, and as a page for people."""

from __future__ import annotations

import json

import pytest

from proxy.health import record
from proxy.health.incident import Incident

MADE = Incident(
    "20261121-031207-1", ("acme",), ("acme-eu",), ("acme-eu · authorize",), "first_byte",
    "failed", "timeout", "partner", "high", "acme: requests are not answered in time.",
    ["acme-eu: 9 of 9"], since=1_795_000_000.0, opened_at=1_795_000_004.0, named_after_s=4.0,
    ended_at=1_795_000_900.0, bad=9, calls=9, impact=(4, 5, 6, 4, 5, 3),
    moved_to={"acme-us": 6},
    timeline=[(1_795_000_000.0, "first_bad", "first bad event: timeout")],
)  # fmt: skip


def test_a_record_survives_being_written_and_read() -> None:
    """Everything that a document has."""
    document = record.document(MADE)
    again = record.read(json.loads(json.dumps(document)))
    assert record.document(again) == document
    assert document["partner"] == "acme"
    assert document["state"] == "closed"


def test_the_page_has_facts_impact_timeline_and_evidence() -> None:
    """In the shape of a post-mortem's facts, with times in UTC."""
    page = record.markdown(MADE)
    for part in (
        "# Incident 20261121-031207-1",
        "| origin | partner |",
        "| duration | 15 min |",
        "| in doubt | 5 | 5 |",
        "Used instead: acme-us (6).",
        "| first_bad | first bad event: timeout |",
        "- acme-eu: 9 of 9",
    ):
        assert part in page


def test_what_an_operator_wrote_ends_no_cell_and_begins_no_tag() -> None:
    """A page is shown wherever post-mortems are."""
    line = {"at": 1.0, "what": "set", "words": "isolate: a|b <img src=x>"}
    page = record.markdown(record.read(record.document(MADE) | {"timeline": [line]}))
    assert "| set | isolate: a\\|b &lt;img src=x> |" in page


def test_an_open_incident_goes_on() -> None:
    """It has no end and no duration."""
    document = record.document(MADE) | {"ended_at": None, "moved_to": {}}
    page = record.markdown(record.read(document))
    assert "| end | goes on |" in page
    assert "| duration | - |" in page


@pytest.mark.parametrize("name", ["impact", "since", "timeline"])
def test_what_is_no_record_is_not_read(name: str) -> None:
    """Whoever keeps them says that the file is damaged."""
    document = record.document(MADE)
    del document[name]
    with pytest.raises(KeyError):
        record.read(document)

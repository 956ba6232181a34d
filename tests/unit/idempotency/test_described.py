"""Rules for what operators and webhooks see of a call."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from proxy.idempotency.described import class_of, described, export, table
from proxy.idempotency.record import State
from proxy.idempotency.settling import Settling
from tests.unit.idempotency.values import NOW, row

ROWS = [
    row(State.RELEASED, key="free"),
    row(State.SETTLED, key="done"),
    replace(row(State.IN_DOUBT, key="lost", reference="ref-lost"), blocked=2, blocked_at=NOW.wall),
]


def test_each_call_has_its_class_and_what_to_do() -> None:
    """Proven not executed, executed, or nobody knows."""
    rows = [described(each, NOW.wall + 40.0) for each in ROWS]
    assert [(row["key"], row["class"]) for row in rows] == [
        ("free", "never_sent"), ("done", "done"), ("lost", "unknown"),
    ]  # fmt: skip
    lost = rows[2]
    assert (lost["state"], lost["partner"], lost["upstream"]) == ("in_doubt", "acme", "a")
    assert (lost["reference"], lost["age_s"], lost["doubts"]) == ("ref-lost", 40.0, 1)
    assert "resolve" in lost["next"]
    assert (lost["blocked"], lost["blocked_at"]) == (2, lost["sent_at"])
    assert lost["sent_at"].endswith("+00:00")
    assert rows[0]["sent_at"] == ""
    assert all("answer" not in row for row in rows)


@pytest.mark.parametrize(
    "reason",
    ["answered", "absent_by_inquiry", "reversed", "nothing_to_reverse", "resolved", "webhook"],
)
def test_what_was_sent_is_never_called_never_sent(reason: str) -> None:
    """An auditor reads both words as they stand: not executed, though it may have left."""
    free = replace(row(State.RELEASED), reason=reason)
    assert class_of(free) == "not_executed"


def test_an_earlier_sending_under_the_key_counts() -> None:
    """The last reason is that of a run which never left."""
    free = replace(row(State.RELEASED), reason="refused")
    assert class_of(free) == "never_sent"
    assert class_of(replace(free, note="sent before: answered")) == "not_executed"
    taken = replace(row(State.CLAIMED), note="sent before: reversed")
    assert class_of(taken) == "not_executed"


def test_what_to_do_goes_by_the_settling_and_the_answer() -> None:
    """A call left alone needs an operator; an end that news brought has no answer to replay."""
    doubt, ended = row(State.IN_DOUBT), replace(row(State.SETTLED), answer=b"")
    left = replace(doubt, settling=Settling.GAVE_UP)
    said = [described(each, NOW.wall)["next"] for each in (doubt, left, ended)]
    assert "`settle` mode" in said[0]
    assert "given up" in said[1]
    assert "409, execution done" in said[2]


def test_a_table_has_a_line_for_each() -> None:
    """In columns, and nothing of an answer."""
    lines = table(ROWS, 0.0).splitlines()
    assert len(lines) == 4
    assert lines[0].split()[:3] == ["changed_at", "state", "partner"]
    assert "sealed" not in "".join(lines)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_an_export_has_every_member(form: str) -> None:
    """One line for each call, and the same members in both forms."""
    out = io.StringIO()
    assert export(ROWS, form, out, 0.0) == 3
    read: Iterator[dict[str, str]]
    if form == "jsonl":
        read = (json.loads(line) for line in out.getvalue().splitlines())
    else:
        read = csv.DictReader(io.StringIO(out.getvalue()))
    rows = list(read)
    assert [row["class"] for row in rows] == ["never_sent", "done", "unknown"]
    assert len({tuple(row) for row in rows}) == 1


def test_nothing_exported_is_nothing_written() -> None:
    """Not even a header."""
    out = io.StringIO()
    assert export([], "csv", out, 0.0) == 0
    assert out.getvalue() == ""

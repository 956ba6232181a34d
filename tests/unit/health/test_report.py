"""`proxy.health.report`: the documents that the admin listener serves, with a stable schema."""

from __future__ import annotations

import json
from typing import Any

from proxy.model.phase import Phase
from tests.support.healthy import Watched, ok, unsent

_BREAKER: dict[str, Any] = {
    "partner": "a", "upstream": "a", "compartment": "authorize", "part": "", "state": "open",
    "p50_ms": 50.0, "p99_ms": 90.0, "ordinary_p99_ms": 80.0, "admitted_share": 0.2, "why": "5",
}  # fmt: skip


def _degraded() -> Watched:
    watched = Watched("a", "b")
    watched.seconds(20, good=("a", "b"))
    for _ in range(10):
        watched.end("a", ok(watched.at["a"], 500), "visa")
        watched.good("a", value="amex")
        watched.good("b")
        watched.second()
    return watched


def test_verdicts_have_all_that_is_known_and_their_incident() -> None:
    """As JSON, with times since 1970."""
    watched = _degraded()
    document = json.loads(json.dumps(watched.reports.verdicts()))
    (row,) = document["verdicts"]
    assert document["schema"] == 1
    assert (row["partner"], row["phase"], row["origin"]) == ("a", "answer", "partner")
    assert row["places"][0]["values"] == {"scheme": "visa"}
    assert row["since"] > 1_700_000_000.0
    assert row["incident"] in watched.health.incidents.all


def test_incidents_are_listed_newest_first_and_told_one_by_one() -> None:
    """With and without the timeline; nothing for an id that is none."""
    reports = _degraded().reports
    (row,) = reports.incidents()["incidents"]
    assert "timeline" not in row
    whole = reports.incident(row["id"])
    assert whole is not None
    assert whole["incident"]["timeline"]
    page = reports.markdown(row["id"])
    assert page is not None
    assert page.startswith("# Incident")
    assert reports.incident("none") is None
    assert reports.markdown("none") is None


def test_the_overview_is_a_grid_of_partners_and_slices() -> None:
    """State, figures, the breaker's latencies, the sentence; unused ones as well."""
    watched = _degraded()
    unused = _BREAKER | {"upstream": "c", "partner": "c", "state": "closed"}
    narrow = _BREAKER | {"part": "scheme=visa", "state": "half_open", "p99_ms": 7.0}
    document = watched.reports.overview([_BREAKER, narrow, unused])
    states = {row["partner"]: row["state"] for row in document["partners"]}
    assert states == {"a": "degraded", "b": "ok", "c": "unused"}
    rows = {json.dumps(row["value"]): row for row in document["partners"][0]["slices"]}
    assert rows["null"]["breaker"] == "open"
    assert rows["null"]["p99_ms"] == 90.0
    assert rows['{"scheme": "visa"}']["state"] == "degraded"
    assert rows['{"scheme": "visa"}']["breaker"] == "half_open"
    assert rows['{"scheme": "visa"}']["p99_ms"] == 7.0
    assert rows['{"scheme": "amex"}']["state"] == "ok"
    assert len(document["incidents"]) == len(document["verdicts"]) == 1


def test_a_narrow_breaker_is_shown_beside_its_own_slice_alone() -> None:
    """Whoever reads that all of an operation is refused, while one scheme is, acts wrongly."""
    narrow = [_BREAKER | {"part": f"scheme={value}"} for value in ("visa", "elo")]
    document = _degraded().reports.overview([_BREAKER | {"state": "closed"}, *narrow])
    rows = {json.dumps(row["value"]): row for row in document["partners"][0]["slices"]}
    assert (rows["null"]["breaker"], rows['{"scheme": "visa"}']["breaker"]) == ("closed", "open")
    assert all(row["state"] != "unused" for row in rows.values())


def test_the_counter_rises_with_what_changes_and_not_with_figures() -> None:
    """So that a page is only sent what is new."""
    watched = _degraded()
    before = watched.reports.changes()
    watched.good("a", "b", value="amex")
    assert watched.reports.changes() == before
    for _ in range(8):
        watched.end("b", unsent(watched.at["b"], Phase.TLS, "certificate_expired"))
        watched.second()
    assert watched.reports.changes() > before


def test_what_is_degraded_is_one_row_for_each_slice() -> None:
    """For metrics."""
    assert _degraded().reports.degraded() == [
        {
            "partner": "a",
            "upstream": "a",
            "slice": "a · authorize · scheme=visa",
            "phase": "answer",
            "origin": "partner",
        }
    ]


def test_rows_come_one_by_one_and_a_breaker_is_asked_when_its_row_is_made() -> None:
    """So that whoever reads may pause between them."""
    watched, asked = _degraded(), list[tuple[str, str, str]]()

    def guard(*at: str) -> dict[str, Any]:
        upstream, operation, part = at
        asked.append((upstream, operation, part))
        return _BREAKER

    rows = watched.reports.rows([("c", "c", "authorize")], guard)
    partner, row = next(rows)
    assert (partner, row["state"], row["breaker"]) == ("c", "unused", "open")
    assert asked == [("c", "authorize", "")]
    told = {(row["upstream"], str(row["value"])): row["state"] for _, row in rows}
    assert told["a", "{'scheme': 'visa'}"] == "degraded"
    assert told["b", "{'scheme': 'visa'}"] == "ok"
    assert ("a", "authorize", "scheme=visa") in asked


def test_the_newest_incidents_and_all_that_are_open_are_told_in_a_few_members() -> None:
    """An open one is never lost behind newer ones."""
    reports = _degraded().reports
    (row,) = reports.recent(1)
    assert row["ended_at"] is None
    assert row["partners"] == ["a"]
    assert "timeline" not in row


def test_a_partner_is_told_from_close_by() -> None:
    """Phases of its attempts, and what changed."""
    reports = _degraded().reports
    assert reports.upstream("a")["phases"]
    assert reports.history(["a"]) == []

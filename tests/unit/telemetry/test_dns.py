"""Rules for metrics of names."""

from __future__ import annotations

from proxy.model.events import NameAsked
from proxy.telemetry.dns import DnsMetrics
from tests.support.prometheus import parse

ROW = {"name": "api.partner.example", "state": "stale", "age_s": 75.5}


def test_questions_and_names_are_counted() -> None:
    """By record type and result; each name by its state, with its age."""
    metrics = DnsMetrics()
    metrics.names = lambda: [ROW, {"name": "b.example", "state": "unknown", "age_s": None}]
    for kind, result in (("A", "addresses"), ("AAAA", "timeout"), ("A", "addresses")):
        metrics.asked(NameAsked(kind, result, 0.02))
    families = parse("\n".join(metrics.render()) + "\n")
    assert sum(families["tidegate_dns_queries_total"].samples.values()) == 3
    assert len(families["tidegate_dns_queries_total"].samples) == 2
    assert len(families["tidegate_dns_name_state"].samples) == 2
    assert list(families["tidegate_dns_name_age_seconds"].samples.values()) == [75.5]
    assert "tidegate_dns_query_seconds_count 3" in "\n".join(metrics.render())


def test_without_names_there_are_no_lines() -> None:
    """A sidecar whose upstreams are all pinned asks nobody."""
    assert list(DnsMetrics().render()) == []

"""`proxy.settings.health`: mistakes in incidents, silence and alerts, each with its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.example import BASE, problems_of


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("incidents: {close_after: 2h}", "incidents.close_after"),
        ("incidents: {kept_max: 0}", "incidents.kept_max"),
        ("silence: {watch: perhaps}", "silence.watch"),
        ("silence: {calls_min: 1}", "silence.calls_min"),
        ("alerts: {repeat: 1s}", "alerts.repeat"),
        ("alerts: {webhooks: {a: {url: ftp://x/}}}", "alerts.webhooks.a.url"),
        ("alerts: {webhooks: {a: {url: 'https://u:p@x/'}}}", "alerts.webhooks.a.url"),
        ("alerts: {webhooks: {a: {url: 'https://x/a b'}}}", "alerts.webhooks.a.url"),
        ("alerts: {webhooks: {a: {url: 'https://x:y/'}}}", "alerts.webhooks.a.url"),
        ("alerts: {webhooks: {a: {form: json}}}", "alerts.webhooks.a"),
        ("alerts: {webhooks: {a: {url: 'https://x/', form: xml}}}", "alerts.webhooks.a.form"),
    ],
)
def test_a_mistake_is_reported_with_its_place(tmp_path: Path, text: str, path: str) -> None:
    """And with what to write."""
    (problem,) = problems_of(tmp_path, BASE + text + "\n")
    assert problem.path.startswith(path)
    assert problem.remedy

"""`proxy.settings.build_health`: incidents, silence and alerts as written and by default."""

from __future__ import annotations

from pathlib import Path

from proxy.model.health import Form, HealthLimits
from proxy.settings.build_health import alerts, health, incidents_file
from tests.unit.settings.example import BASE, load_text

WRITTEN = """\
incidents: {close_after: 2m, kept_max: 7, file: kept.json}
silence: {watch: false, period: 10s, calls_min: 50}
alerts:
  repeat: 30m
  webhooks:
    pager: {url: "https://alerts.example/in", headers: {Authorization: "${KEY}"}}
    chat: {url: "${SLACK}", form: slack}
"""


def test_what_is_written_is_what_the_rooms_get(tmp_path: Path) -> None:
    """Durations in seconds, files beside the configuration, secrets revealed."""
    environ = {"KEY": "Bearer t", "SLACK": "https://hooks.example/T/B/x"}
    settings = load_text(tmp_path, BASE + WRITTEN, environ).settings
    assert health(settings) == HealthLimits(120.0, 7, tmp_path / "kept.json", False, 10.0, 50)
    pager, chat = alerts(settings).webhooks
    assert (pager.url, pager.form) == ("https://alerts.example/in", Form.JSON)
    assert pager.headers == (("Authorization", "Bearer t"),)
    assert (chat.url, chat.form) == ("https://hooks.example/T/B/x", Form.SLACK)
    assert alerts(settings).repeat_s == 1800.0
    assert "hooks.example" not in repr(settings)


def test_defaults_are_those_of_the_model(tmp_path: Path) -> None:
    """And incidents are kept beside the journal's file, if there is one."""
    settings = load_text(tmp_path, BASE).settings
    assert health(settings) == HealthLimits()
    assert alerts(settings).webhooks == ()
    journal = load_text(tmp_path, BASE + "journal: {path: j.db}\n").settings
    assert incidents_file(journal) == tmp_path / "j.db.incidents"

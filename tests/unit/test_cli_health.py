"""`tidegate verdicts` and `tidegate incidents`: what an operator types, and what comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from proxy.admin import client
from proxy.cli import app

_INCIDENT: dict[str, Any] = {
    "id": "20261121-031207-1", "state": "open", "since": 1_795_230_725.0, "ended_at": None,
    "partners": ["acme"], "phase": "connect", "origin": "partner",
    "impact": {"calls_failed": 4, "calls_in_doubt": 5, "calls_moved": 6},
}  # fmt: skip
_PAGES: dict[str, Any] = {
    "/verdicts": {"verdicts": [{"sentence": "acme: refused.", "evidence": ["a: 9 of 9"]}]},
    "/incidents": {"incidents": [_INCIDENT, _INCIDENT | {"ended_at": 1_795_230_999.0}]},
    "/incidents/20261121-031207-1": {"incident": _INCIDENT},
}


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def _admin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of an admin listener."""

    def get(_: str, path: str) -> tuple[int, str]:
        if path == "/incidents/20261121-031207-1.md":
            return 200, "# Incident 20261121-031207-1\n"
        return (200, json.dumps(_PAGES[path])) if path in _PAGES else (404, "")

    monkeypatch.setattr(client, "get", get)


def test_verdicts_are_sentences_with_their_evidence() -> None:
    """Or the document."""
    assert _run("verdicts").stdout == "acme: refused.\n    a: 9 of 9\n"
    assert json.loads(_run("verdicts", "--json").stdout) == _PAGES["/verdicts"]


def test_incidents_are_a_table_and_one_is_a_page() -> None:
    """As Markdown unless JSON is asked for."""
    lines = _run("incidents").stdout.splitlines()
    assert lines[0].split()[:4] == ["id", "state", "since", "ended"]
    assert "2026-11-21 03:12:05Z" in lines[1]
    assert json.loads(_run("incidents", "--json").stdout) == _PAGES["/incidents"]
    assert _run("incidents", "show", "20261121-031207-1").stdout.startswith("# Incident")
    shown = _run("incidents", "show", "20261121-031207-1", "--json").stdout
    assert json.loads(shown)["incident"]["id"] == "20261121-031207-1"


def test_nothing_to_tell_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, and it is no failure."""
    monkeypatch.setitem(_PAGES, "/verdicts", {"verdicts": []})
    monkeypatch.setitem(_PAGES, "/incidents", {"incidents": []})
    assert _run("verdicts").stdout == "nothing has degraded\n"
    assert _run("incidents").stdout == "no incidents\n"


def test_an_incident_that_is_not_there_and_a_sidecar_that_fails_end_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With what to do."""
    assert "tidegate incidents" in _run("incidents", "show", "none").output
    monkeypatch.setattr(client, "get", lambda *_: (500, "broken"))
    assert "answered 500: broken" in _run("verdicts").output

    def away(*_: str) -> tuple[int, str]:
        raise client.AdminUnreachable("no answer")

    monkeypatch.setattr(client, "get", away)
    assert _run("verdicts").exit_code == 1

"""`proxy.settings.checks_alerts`: mistakes about who is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.example import BASE, problems_of


def _webhook(url: str, headers: str = "{X-Key: k}") -> str:
    return BASE + f"alerts: {{webhooks: {{pager: {{url: {url}, headers: {headers}}}}}}}\n"


def test_headers_do_not_go_to_another_machine_in_clear_text(tmp_path: Path) -> None:
    """They may be credentials."""
    (problem,) = problems_of(tmp_path, _webhook("http://alerts.example/in"))
    assert problem.path == "alerts.webhooks.pager.url"
    assert "write https://" in problem.remedy
    assert "alerts.example" not in problem.message + problem.remedy


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("https://alerts.example/in", "{X-Key: k}"),
        ("http://127.0.0.1:9/in", "{X-Key: k}"),
        ("http://localhost:9/in", "{X-Key: k}"),
        ('"http://[::1]:9/in"', "{X-Key: k}"),
        ("http://alerts.example/in", "{}"),
    ],
)
def test_where_nobody_reads_along_or_there_is_nothing_to_read_it_is_none(
    tmp_path: Path, url: str, headers: str
) -> None:
    """TLS, this machine, or no header."""
    assert problems_of(tmp_path, _webhook(url, headers)) == []

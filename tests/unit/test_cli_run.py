"""`proxy.cli_run`: which command lines need nothing but the sidecar."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.cli_run import asked, serve
from proxy.settings.apart import Reading


@pytest.mark.parametrize(
    ("line", "config", "loop"),
    [
        ("run --config a.yaml", "a.yaml", "uvloop"),
        ("run -c a.yaml", "a.yaml", "uvloop"),
        ("run --config a.yaml --loop asyncio", "a.yaml", "asyncio"),
        ("run --loop uvloop -c /etc/a.yaml", "/etc/a.yaml", "uvloop"),
    ],
)
def test_a_plain_run_is_known(line: str, config: str, loop: str) -> None:
    """As service managers write it."""
    assert asked(line.split(" ")) == (Path(config), loop)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "run",
        "check a.yaml",
        "check --config a.yaml",
        "--version",
        "run --help",
        "run --config",
        "run --config ",
        "run --config --help",
        "run --config=a.yaml",
        "run -ca.yaml",
        "run --conf a.yaml",
        "run --loop asyncio",
        "run --config a.yaml --loop trio",
        "run --config a.yaml -c b.yaml",
        "run --config a.yaml --loop",
        "run --config a.yaml b.yaml",
        "run -- --config a.yaml",
    ],
)
def test_everything_else_is_for_typer(line: str) -> None:
    """It knows what is meant, or says what is wrong."""
    assert asked(line.split(" ")) is None


def test_a_file_that_cannot_be_used_is_said_and_ends_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit status 1, and nothing on standard output."""
    assert serve(Reading(None, "all that is wrong\n"), "uvloop") == 1
    assert capsys.readouterr() == ("", "all that is wrong\n")

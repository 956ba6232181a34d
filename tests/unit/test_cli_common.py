"""What all commands have in common."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from proxy import __version__
from proxy.cli import app
from proxy.cli_common import fail, load_config
from tests.support import config


def test_a_file_with_problems_ends_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, and the problems on standard error."""
    file = config.write(tmp_path, {"version": 1})
    with pytest.raises(SystemExit) as ended:
        load_config(file)
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "partners" in said.err


def test_a_failure_has_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    """And its reason on standard error."""
    with pytest.raises(SystemExit) as ended:
        fail("why", code=2)
    assert ended.value.code == 2
    assert capsys.readouterr().err == "why\n"


def test_the_version_is_the_packages() -> None:
    """As reports of trouble name it."""
    assert CliRunner().invoke(app, ["--version"]).stdout == f"{__version__} (interpreted)\n"

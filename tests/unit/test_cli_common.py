"""What all commands have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

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


def test_a_warning_about_a_profile_names_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its path means nothing without it."""
    profile = tmp_path / "own.yaml"
    doubtful = "operations: {authorize: {execution: {'503': none}}}"
    profile.write_text(f"name: own\nabout: ours\n{doubtful}\n", encoding="utf-8")
    document = config.document({"a": config.upstream(9)}, [config.route("/psp/", ["a"])])
    document["partners"]["partner"]["profile"] = "own.yaml"
    assert len(load_config(config.write(tmp_path, document)).warnings) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"warning: {profile.resolve()}: operations.authorize.execution.503: ")

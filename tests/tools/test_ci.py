"""`.ci/run`: everything is run, and nothing that has failed passes for left out."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.source import ROOT

MAKE = """#!/bin/sh
echo "made $1"
[ "$1" = test ] && echo "12 passed in 3.45s"
[ "$1" != "$FAILS" ] || { echo "make: *** failed" >&2; exit 2; }
"""
PYTHON = """#!/bin/sh
[ "$*" != "-m tools.needed $WITHOUT" ] || exit "$CODE"
"""
TARGETS = ("lint", "test", "browser", "promcheck")


def _ran(
    folder: Path, fails: str = "", without: str = "", code: int = 0, after_s: int = 0
) -> tuple[int, str]:
    """Exit code and output, with a target that fails, with a check that lacks its package, and
    when so much time is over.
    """
    for path, text in (("bin/make", MAKE), (".venv/bin/python", PYTHON)):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    environment = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin", "FAILS": fails, "WITHOUT": without,
                   "CODE": str(code), "SECONDS": str(after_s)}  # fmt: skip
    done = subprocess.run(
        [folder / ".ci" / "run"], env=environment, stdout=subprocess.PIPE, check=False,
        stderr=subprocess.STDOUT, text=True, timeout=30,
    )  # fmt: skip
    return done.returncode, done.stdout


def _made(said: str) -> list[str]:
    return [line.removeprefix("made ") for line in said.splitlines() if line.startswith("made ")]


def test_all_four_are_run_and_the_tests_have_the_last_word(tmp_path: Path) -> None:
    """One line of pytest's closes the report."""
    code, said = _ran(tmp_path)
    assert (code, _made(said)) == (0, list(TARGETS))
    assert said.splitlines()[-1] == "12 passed in 3.45s"


@pytest.mark.parametrize("target", TARGETS)
def test_whatever_fails_fails_the_run(tmp_path: Path, target: str) -> None:
    """The others are run nevertheless."""
    code, said = _ran(tmp_path, fails=target)
    assert (code, _made(said)) == (1, list(TARGETS))
    assert "ci: failed" in said
    assert "left out" not in said


@pytest.mark.parametrize("target", TARGETS[2:])
def test_what_cannot_be_had_is_left_out_in_words(tmp_path: Path, target: str) -> None:
    """Which is no failure."""
    code, said = _ran(tmp_path, without=target, code=77)
    assert (code, _made(said)) == (0, [each for each in TARGETS if each != target])
    assert f"ci: left out: make {target}, " in said


@pytest.mark.parametrize("code", [1, 2, 126, 127])
def test_nothing_else_passes_for_left_out(tmp_path: Path, code: int) -> None:
    """A search for packages that breaks is a failure."""
    ended, said = _ran(tmp_path, without="browser", code=code)
    assert ended == 1
    assert "left out" not in said


@pytest.mark.parametrize(
    ("after_s", "made"), [(560, TARGETS), (600, ("lint", "test", "promcheck")), (700, TARGETS[:2])]
)
def test_a_slow_machine_leaves_out_what_would_take_too_long(
    tmp_path: Path, after_s: int, made: tuple[str, ...]
) -> None:
    """In words, and lint and tests never."""
    code, said = _ran(tmp_path, after_s=after_s)
    assert (code, tuple(_made(said))) == (0, made)
    assert said.count("ci: left out: make ") == len(TARGETS) - len(made)

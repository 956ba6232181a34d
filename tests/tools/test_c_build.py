"""With a Python that trains the C is compiled to count, run, and compiled by what was counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tools import c_build as tool

OWN = ["-O2"]


class Extension:
    """As setuptools has it, as far as it matters here."""

    extra_compile_args = OWN


class Compiler:
    """What was compiled, in order: how many extensions, with which options."""

    def __init__(self) -> None:
        self.done: list[tuple[int, str]] = []
        self.forgets: str | None = None
        """What the last result still has in it."""

    def __call__(
        self, extensions: Sequence[Any], flags: Sequence[str], link: Sequence[str] = ()
    ) -> None:
        assert list(flags[: len(OWN)]) == OWN
        assert "-fvisibility=hidden" in flags
        assert ("-fprofile-generate" in flags) == ("-fprofile-generate" in link)
        how = [each for each in ("-fprofile-generate", "-fprofile-use") if each in flags]
        self.done.append((len(extensions), "".join(how)))
        Path("made.so").write_text(self.forgets or "", encoding="utf-8")


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compiler:
    """In a folder of its own; there are two modules, so two more extensions."""
    monkeypatch.chdir(tmp_path)
    compiler = Compiler()
    monkeypatch.setattr(tool, "translated", lambda _: (Extension(), [Extension(), Extension()]))
    monkeypatch.setattr(tool, "compiled", compiler)
    return compiler


def python(folder: Path, script: str) -> str:
    """A Python that does `script` when it is to train; its arguments are -P -m MODULE FOLDER."""
    file = folder / "python"
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    file.chmod(0o755)
    return str(file)


COUNTS = 'mkdir -p "$4/build/temp" && touch "$4/build/temp/a.gcda"'


def test_without_training_all_is_compiled_once(compiler: Compiler) -> None:
    """The extension with the code, and one for each module to be found by."""
    assert tool.main(["a.py", "b.py"]) == 0
    assert compiler.done == [(2, ""), (1, "")]


def test_the_code_is_compiled_twice_around_the_training(compiler: Compiler, tmp_path: Path) -> None:
    """What only finds modules is compiled once, and counts nothing."""
    assert tool.main(["--train-with", python(tmp_path, COUNTS), "--", "a.py"]) == 0
    assert compiler.done == [(2, ""), (1, "-fprofile-generate"), (1, "-fprofile-use")]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 1", "ended with status 1"),
        ("exit 0", "left counts of 0 of 2 modules"),
        (COUNTS, "left counts of 1 of 2 modules"),
    ],
)
def test_a_training_that_fails_fails_the_build(
    compiler: Compiler,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    script: str,
    said: str,
) -> None:
    """Nothing is laid out by counts that are not there."""
    assert tool.main(["--train-with", python(tmp_path, script), "--", "a.py", "b.py"]) == 1
    assert said in capsys.readouterr().err
    assert compiler.done[-1] == (1, "-fprofile-generate")


def test_what_still_counts_is_no_result(
    compiler: Compiler, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would be slow, and write to a folder of the machine that made it."""
    compiler.forgets = "/build/temp/x.gcda"
    assert tool.main(["--train-with", python(tmp_path, COUNTS), "--", "a.py"]) == 1
    assert "made.so still counts" in capsys.readouterr().err

"""A profile is used where the compiler has all that it takes; else it is said what is missing."""

from __future__ import annotations

import shlex
import sysconfig
from pathlib import Path

import pytest

from tools import c_compiler as tool

GCC = "gcc (Debian 12.2.0-14) 12.2.0\nCopyright (C) 2022 Free Software Foundation, Inc.\n"


def program(file: Path, script: str) -> list[str]:
    """The command of a compiler that does what `script` says."""
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    file.chmod(0o755)
    return [str(file)]


def test_a_compiler_that_takes_the_options_is_fit(tmp_path: Path) -> None:
    """Each of them is tried, on a file that is there."""
    took = tmp_path / "took"
    gcc = program(tmp_path / "gcc", f"test -f one.c && echo \"$@\" >> '{took}'")
    assert tool.unfit(gcc, GCC) is None
    counting, shaped = took.read_text(encoding="ascii").splitlines()
    for option in ("-fprofile-generate", "-fprofile-update=atomic", "-fvisibility=hidden"):
        assert option in counting.split()
    for option in ("-fprofile-use", "-fprofile-partial-training", "-fvisibility=hidden"):
        assert option in shaped.split()


def test_another_compiler_is_not_asked(tmp_path: Path) -> None:
    """It may take options of the same name and mean others."""
    clang = program(tmp_path / "clang", f"touch '{tmp_path}/asked'")
    assert tool.unfit(clang, "Debian clang version 14.0.6\n") == f"{clang[0]} is not gcc"
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("option", ["-fprofile-generate", "-fprofile-use"])
def test_what_a_compiler_does_not_take_is_named(tmp_path: Path, option: str) -> None:
    """Such as one without its libgcov, or one that is too old."""
    script = f'case " $* " in *" {option} "*) exit 1;; esac'
    gcc = program(tmp_path / "gcc", script)
    assert tool.unfit(gcc, GCC) == f"{gcc[0]} does not take {option}"


def test_the_compiler_is_the_environments_or_this_pythons(monkeypatch: pytest.MonkeyPatch) -> None:
    """As setuptools does it."""
    monkeypatch.setenv("CC", "ccache gcc-12")
    assert tool.command() == ["ccache", "gcc-12"]
    monkeypatch.delenv("CC")
    assert tool.command() == shlex.split(sysconfig.get_config_var("CC"))


def test_a_compiler_that_does_not_run_is_told(tmp_path: Path) -> None:
    """Neither one that is not there nor one that fails."""
    with pytest.raises(tool.CompilerError, match="apt-get install gcc"):
        tool.version([str(tmp_path / "none")])
    with pytest.raises(tool.CompilerError, match="cannot be run"):
        tool.version(program(tmp_path / "cc", "exit 1"))
    assert tool.version(program(tmp_path / "gcc", "echo 12.2.0")) == "12.2.0\n"

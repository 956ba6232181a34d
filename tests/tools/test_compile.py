"""What was compiled is what it says it is: by its stamp, its compiler and its profile."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools import compile as tool
from tools.source import ROOT

GCC = "cc 12.2.0\nCopyright (C) 2022 Free Software Foundation, Inc.\n"


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for gcc: says that it is, and takes everything."""
    return compiler_that_says(GCC, tmp_path / "cc", monkeypatch)


def compiler_that_says(words: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that is called as the C compiler and ends well, without a word but these."""
    file.write_text(f"#!/bin/sh\ncat <<'END'\n{words}END\n", encoding="ascii")
    file.chmod(0o755)
    monkeypatch.setenv("CC", str(file))
    return file


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What trained each build; nothing is compiled."""
    asked: list[str | None] = []

    def built(root: Path, folder: Path, modules: Sequence[str], python: str | None) -> None:
        assert "proxy/http1/client.py" in modules
        assert (folder / "proxy" / "app.py").is_file()
        asked.append(python)

    monkeypatch.setattr(tool, "built", built)
    monkeypatch.setattr(tool, "headers", lambda: True)
    return asked


def test_a_changed_source_is_another_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So nothing old is ever measured or shipped. How it is trained is a source, too, and so are
    mypyc and what the environment tells the compiler.
    """
    monkeypatch.setenv("CFLAGS", "-O1")
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    (tmp_path / tool.LOCK).parent.mkdir()
    shutil.copy2(ROOT / tool.LOCK, tmp_path / tool.LOCK)
    for name in ("pyproject.toml", "a.py"):
        (tmp_path / name).write_text("1", encoding="ascii")
    before = tool.fingerprint(tmp_path, ["a.py"], GCC, profile=True)
    assert tool.fingerprint(tmp_path, ["a.py"], GCC, profile=True) == before
    for name in ("a.py", "tools/train.py", "tools/c_build.py", tool.LOCK):
        with (tmp_path / name).open("a", encoding="ascii") as file:
            file.write("\n")
        after = tool.fingerprint(tmp_path, ["a.py"], GCC, profile=True)
        assert after != before
        before = after
    monkeypatch.setenv("CFLAGS", "-O2")
    assert tool.fingerprint(tmp_path, ["a.py"], GCC, profile=True) != before


def test_every_tool_that_makes_it_is_in_the_stamp() -> None:
    """A part that was forgotten would leave an old result in its place."""
    parts = {path.name for path in (ROOT / "tools").glob("*.py")}
    made_with = {name for name in parts if name.startswith(("c_", "compil", "native", "train"))}
    assert {Path(name).name for name in tool.TOOLS} == made_with


def test_a_build_without_a_profile_is_never_taken_for_one_with(
    tmp_path: Path, builds: list[str | None], compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor one by another compiler; and what is there is not made again."""
    folder = str(tmp_path / "compiled")
    for given in (["--no-profile"], ["--no-profile"], [], []):
        assert tool.main([folder, *given]) == 0
    assert builds == [None, sys.executable]
    compiler_that_says(GCC.replace("12.2.0", "14.1.0"), compiler, monkeypatch)
    assert tool.main([folder]) == 0
    assert len(builds) == 3


def test_a_compiler_without_profiles_compiles_without(
    tmp_path: Path,
    builds: list[str | None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And it is said, in one line."""
    compiler_that_says("clang version 19.1\n", tmp_path / "clang", monkeypatch)
    assert tool.main([str(tmp_path / "compiled")]) == 0
    assert builds == [None]
    said = [line for line in capsys.readouterr().out.splitlines() if "profile" in line]
    assert said == [f"compiling without a profile: {tmp_path}/clang is not gcc"]


@pytest.mark.usefixtures("builds", "compiler")
def test_what_was_not_finished_does_not_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It could be one that counts what it does, and nobody would see."""

    def fails(*_: object) -> None:
        raise subprocess.CalledProcessError(1, "c_build")

    monkeypatch.setattr(tool, "built", fails)
    assert tool.main([str(tmp_path / "compiled")]) == 1
    assert "ended with status 1" in capsys.readouterr().err
    assert not (tmp_path / "compiled").exists()


@pytest.mark.parametrize(
    ("answer", "said"),
    [("echo 3.9.1", "is 3.9.1, and what compiles is"), ("exit 1", "exit status 1")],
)
def test_only_the_same_python_trains(
    tmp_path: Path,
    builds: list[str | None],
    capsys: pytest.CaptureFixture[str],
    answer: str,
    said: str,
) -> None:
    """Another could not load what was compiled for this one."""
    other = tmp_path / "python"
    other.write_text(f"#!/bin/sh\n{answer}\n", encoding="ascii")
    other.chmod(0o755)
    assert tool.main([str(tmp_path / "compiled"), "--train-with", str(other)]) == 1
    assert said in capsys.readouterr().err
    assert tool.main([str(tmp_path / "compiled"), "--train-with", str(tmp_path / "none")]) == 1
    assert "No such file" in capsys.readouterr().err
    assert builds == []


def test_without_a_compiler_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one sentence."""
    monkeypatch.setenv("CC", str(tmp_path / "none"))
    assert tool.main([str(tmp_path / "compiled")]) == 1
    assert "apt-get install gcc" in capsys.readouterr().err


def test_the_image_is_built_from_what_its_context_lets_in() -> None:
    """What .dockerignore does not name is not there to be copied, and the build ends."""
    let_in = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    lines = [
        line.split()[1:-1]
        for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
        if line.startswith("COPY ") and "--from=" not in line
    ]
    names = {name for line in lines for name in line}
    assert {"proxy", "tools"} <= names
    for name in names:
        ways = [Path(name), *Path(name).parents]
        assert any(f"!{way}" in let_in for way in ways), name


def test_the_image_looks_at_what_it_ships() -> None:
    """Not at the sources in the folder where it is built, which are never compiled."""
    assert '/opt/tidegate/bin/python -P -c "from proxy.built' in (ROOT / "Dockerfile").read_text(
        encoding="utf-8"
    )


def test_a_start_finds_byte_code(tmp_path: Path) -> None:
    """Also of what stays interpreted: making it anew takes a third of a start."""
    (tmp_path / "a.py").write_text("x = 1\n", encoding="ascii")
    tool.bytecode(tmp_path)
    assert list(tmp_path.glob("__pycache__/a.*.pyc"))
    (tmp_path / "b.py").write_text("no python", encoding="ascii")
    with pytest.raises(ValueError, match="not all"):
        tool.bytecode(tmp_path)


def test_a_copy_has_all_that_the_package_is_made_of(tmp_path: Path) -> None:
    """And nothing of an earlier one."""
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "old.so").write_bytes(b"")
    tool.copied(ROOT, folder)
    assert not (folder / "old.so").exists()
    assert (folder / "proxy" / "app.py").is_file()
    assert (folder / "config" / "partners" / "stripe.yaml").is_file()


@pytest.mark.usefixtures("compiler")
def test_without_headers_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page of a C compiler's errors would not."""
    monkeypatch.setattr("tools.compile.sysconfig.get_path", lambda name: str(tmp_path / name))
    assert tool.main([str(tmp_path / "compiled")]) == 1
    assert "apt-get install python3-dev" in capsys.readouterr().err
    assert not (tmp_path / "compiled").exists()

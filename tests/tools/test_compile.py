"""What is compiled follows from rules, and what would be compiled wrongly is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import compile as tool
from tools.source import ROOT, Source, settings

FILES = ["proxy/a/__init__.py", "proxy/a/hot.py", "proxy/a/cold.py", "proxy/b/other.py"]


def test_rooms_less_their_exceptions_are_compiled() -> None:
    """A package's own file stays as it is: it is what finds the rest."""
    rules = {"rooms": ["proxy/a/*.py"], "except": {"proxy/a/cold.py": "off the path"}}
    assert tool.chosen(FILES, rules) == ["proxy/a/hot.py"]


@pytest.mark.parametrize("key", ["rooms", "except"])
def test_a_rule_that_nothing_meets_is_a_mistake(key: str) -> None:
    """It would go unseen that a room was renamed and is no longer compiled."""
    rules = {"rooms": ["proxy/a/*.py"], "except": {"proxy/a/cold.py": "off the path"}}
    rules[key] = ["proxy/gone.py"] if key == "rooms" else {"proxy/gone.py": "x"}
    with pytest.raises(ValueError, match=r"proxy/gone\.py"):
        tool.chosen(FILES, rules)


@pytest.mark.parametrize(
    ("bound", "refused"),
    [
        ("os.write(1, x) :", True), (": take()", True), ("(y := 1) :", True), ("len(y) :", False),
        ("y + 1 : min(y, 2)", False),
    ],
)  # fmt: skip
def test_a_slice_whose_bound_does_something_is_refused(bound: str, refused: bool) -> None:
    """Mypyc may do it twice."""
    found = tool.miscompiled(Source("proxy/a/hot.py", f"x = 1\nz = x[{bound}]\n"))
    assert [each.split(": ")[0] for each in found] == (["proxy/a/hot.py:2"] if refused else [])


def test_nothing_that_is_compiled_has_such_a_slice() -> None:
    """Of the house as it stands, by the rules as they stand."""
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "proxy").rglob("*.py")]
    names = tool.chosen(files, settings(ROOT, "compiled"))
    assert "proxy/http1/client.py" in names
    sources = [Source(name, (ROOT / name).read_text(encoding="utf-8")) for name in names]
    assert [each for source in sources for each in tool.miscompiled(source)] == []


def test_a_changed_source_is_another_build(tmp_path: Path) -> None:
    """So nothing old is ever measured or shipped."""
    (tmp_path / "tools").mkdir()
    for name in ("pyproject.toml", "tools/compile.py", "tools/native_init.py", "a.py"):
        (tmp_path / name).write_text("1", encoding="ascii")
    before = tool.fingerprint(tmp_path, ["a.py"])
    assert tool.fingerprint(tmp_path, ["a.py"]) == before
    (tmp_path / "a.py").write_text("2", encoding="ascii")
    assert tool.fingerprint(tmp_path, ["a.py"]) != before


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


def test_without_headers_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page of a C compiler's errors would not."""
    monkeypatch.setattr("tools.compile.sysconfig.get_path", lambda name: str(tmp_path / name))
    assert tool.main([str(tmp_path / "compiled")]) == 1
    assert "apt-get install python3-dev" in capsys.readouterr().err
    assert not (tmp_path / "compiled").exists()

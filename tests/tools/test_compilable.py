"""What is compiled follows from rules, and what would be compiled wrongly is refused."""

from __future__ import annotations

import pytest

from tools import compilable as tool
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

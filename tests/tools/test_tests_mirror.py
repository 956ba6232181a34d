"""The mirror check knows logic from shape, and sees both a missing and an orphaned test."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools import tests_mirror
from tools.source import Source
from tools.tests_mirror import check, has_logic

LOGIC = "def f():\n    return 1\n"
SHAPE = '"""Words."""\nX = 1\n'


@pytest.mark.parametrize(
    ("text", "logic"),
    [
        (LOGIC, True),
        ("class A:\n    @property\n    def a(self):\n        return 1\n", True),
        ("async def f():\n    await g()\n", True),
        (SHAPE, False),
        ("@dataclass\nclass A:\n    x: int = 1\n", False),
        ('class A(Protocol):\n    def f(self) -> int:\n        """Say."""\n', False),
        ("class A(Protocol):\n    def f(self) -> int: ...\n", False),
    ],
)
def test_logic_is_a_function_that_does_something(text: str, logic: bool) -> None:
    """Constants, records and contracts have none."""
    assert has_logic(ast.parse(text)) is logic


@pytest.mark.parametrize(
    ("source", "test"),
    [
        ("proxy/cli.py", "tests/unit/test_cli.py"),
        ("proxy/http1/pool.py", "tests/unit/http1/test_pool.py"),
        ("proxy/http1/__init__.py", "tests/unit/http1/test_init.py"),
        ("proxy/__main__.py", "tests/unit/test_main.py"),
    ],
)
def test_a_test_stands_where_its_source_stands(source: str, test: str) -> None:
    """The same folders, `test_` before the name."""
    assert tests_mirror.test_path(source) == test


def test_a_source_with_logic_needs_its_test() -> None:
    """Missing is a problem, present is none, and shape needs no test."""
    source = Source("proxy/a.py", LOGIC)
    (problem,) = check([source], [], {})
    assert problem.startswith("proxy/a.py: has logic and no test")
    assert check([source], ["tests/unit/test_a.py"], {}) == []
    assert check([Source("proxy/a.py", SHAPE)], [], {}) == []


def test_a_test_without_a_source_is_an_orphan() -> None:
    """It tests something that was renamed or removed."""
    problems = check([Source("proxy/a.py", SHAPE)], ["tests/unit/test_b.py"], {})
    assert problems == ["tests/unit/test_b.py: tests no source file"]


def test_a_long_test_may_be_cut_by_aspect() -> None:
    """An aspect counts for the longest name that fits, and never for another file's."""
    pool, pool_age = Source("proxy/pool.py", LOGIC), Source("proxy/pool_age.py", LOGIC)
    assert check([pool], ["tests/unit/test_pool_age_of_idle.py"], {}) == []
    problems = check([pool, pool_age], ["tests/unit/test_pool_age_of_idle.py"], {})
    assert problems == ["proxy/pool.py: has logic and no test, expected tests/unit/test_pool.py"]
    (_, orphan) = check([pool], ["tests/unit/test_poolside.py"], {})
    assert orphan == "tests/unit/test_poolside.py: tests no source file"


@pytest.mark.parametrize(
    ("text", "tests", "problems"),
    [
        (LOGIC, [], 0),
        (LOGIC, ["tests/unit/test_a.py"], 1),
        (SHAPE, [], 1),
    ],
)
def test_an_exemption_must_stay_true(text: str, tests: list[str], problems: int) -> None:
    """Once the test exists, or the logic is gone, the exemption has to go."""
    found = check([Source("proxy/a.py", text)], tests, {"proxy/a.py": "why"})
    assert len(found) == problems


def test_an_exemption_of_no_file_is_a_problem() -> None:
    """The file was renamed, and the exemption would hide a later one of that name."""
    assert len(check([], [], {"proxy/gone.py": "why"})) == 1


def test_the_check_reads_a_repository(tmp_path: Path) -> None:
    """Helpers beside the tests are no tests; a missing test makes the check fail."""
    (tmp_path / "pyproject.toml").write_text("")
    unit = tmp_path / "tests" / "unit"
    unit.mkdir(parents=True)
    (unit / "helpers.py").write_text(LOGIC)
    (tmp_path / "proxy").mkdir()
    (tmp_path / "proxy" / "a.py").write_text(LOGIC)
    assert tests_mirror.main(tmp_path) == 1
    (unit / "test_a.py").write_text(LOGIC)
    assert tests_mirror.main(tmp_path) == 0

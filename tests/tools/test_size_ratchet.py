"""The size check counts what a reader has to read, and its ratchet only turns one way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import size_ratchet
from tools.size_ratchet import Limits, Size, check, function_sizes, judge
from tools.source import Source

LIMITS = Limits(
    roots=["proxy"],
    file_lines_aim=3,
    file_lines_think=5,
    file_lines_max=8,
    function_lines_aim=2,
    function_lines_max=4,
    files_over_think_max=1,
)


def test_a_function_is_as_long_as_from_its_first_decorator_to_its_last_line() -> None:
    """Decorators, signature and docstring count; nested functions are counted by themselves too."""
    source = Source(
        "proxy/a.py",
        '@one\n@two\ndef outer(\n    x,\n):\n    """Doc."""\n\n    def inner():\n        return\n',
    )
    sizes = {size.where: size.lines for size in function_sizes(source)}
    assert sizes == {"proxy/a.py:1 outer": 9, "proxy/a.py:8 inner": 2}


@pytest.mark.parametrize(("lines", "refused"), [(8, False), (9, True)])
def test_a_file_stops_at_its_limit(lines: int, refused: bool) -> None:
    """The limit itself is allowed, one line more is not."""
    problems = judge([Size("proxy/a.py", lines)], [], LIMITS)
    assert bool(problems) is refused


@pytest.mark.parametrize(("lines", "refused"), [(4, False), (5, True)])
def test_a_function_stops_at_its_limit(lines: int, refused: bool) -> None:
    """The limit itself is allowed, one line more is not."""
    problems = judge([], [Size("proxy/a.py:1 f", lines)], LIMITS)
    assert bool(problems) is refused


def test_the_ratchet_counts_files_that_need_a_thought() -> None:
    """One large file is granted here; a second one is refused, and both are named."""
    one, two = Size("proxy/a.py", 6), Size("proxy/b.py", 7)
    assert judge([one], [], LIMITS) == []
    (problem,) = judge([one, two], [], LIMITS)
    assert "proxy/a.py (6), proxy/b.py (7)" in problem


def test_the_distribution_is_told_even_when_nothing_is_wrong() -> None:
    """Counts, medians and how many are above the aim: a drift shows before a limit is met."""
    sources = [Source("proxy/a.py", "x = 1\n"), Source("proxy/b.py", "def f():\n" + "    1\n" * 3)]
    summary, problems = check(sources, LIMITS)
    assert problems == []
    assert summary == "2 files, median 2.5 lines, 1 over 3, 1 functions, median 4 lines, 1 over 2"


def test_the_numbers_come_from_pyproject(tmp_path: Path) -> None:
    """A repository with a function above its own limit fails the check."""
    table = {name: getattr(LIMITS, name) for name in LIMITS.__slots__ if name != "roots"}
    lines = "\n".join(f"{name} = {number}" for name, number in table.items())
    (tmp_path / "pyproject.toml").write_text(f'[tool.tidegate.size]\nroots = ["proxy"]\n{lines}\n')
    (tmp_path / "proxy").mkdir()
    file = tmp_path / "proxy" / "a.py"
    file.write_text("def f():\n    return 1\n")
    assert size_ratchet.main(tmp_path) == 0
    file.write_text("def f():\n" + "    1\n" * 4)
    assert size_ratchet.main(tmp_path) == 1

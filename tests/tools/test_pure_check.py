"""The purity check lets decisions through and nothing that acts or asks the time."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools import pure_check
from tools.pure_check import impurities, is_marked
from tools.source import Source


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ('"""PURE. Decides."""\n', True),
        ('"""Decides.\n\nPURE: no clock.\n"""\n', True),
        ('"""Impure and proud of it."""\n', False),
        ('"""IMPURE."""\n', False),
        ("# PURE\nx = 1\n", False),
    ],
)
def test_the_mark_is_a_word_of_the_module_docstring(text: str, marked: bool) -> None:
    """Not a part of another word, and not a comment."""
    assert is_marked(ast.parse(text)) is marked


@pytest.mark.parametrize(
    "text",
    [
        "async def f(): pass",
        "import asyncio",
        "import os.path",
        "import time as t",
        "from time import monotonic",
        "import logging",
        "from http.client import HTTPConnection",
        "print('x')",
        "open('x')",
        "clock.now()",
        "datetime.datetime.utcnow()",
        "date.today()",
        "x = [i async for i in y]",
    ],
)
def test_what_acts_or_asks_the_time_is_not_pure(text: str) -> None:
    """Each is found, with file and line."""
    (problem, *_) = impurities(Source("proxy/a.py", f'"""PURE."""\n\n{text}\n'))
    assert problem.startswith("proxy/a.py:3: PURE, yet ")


@pytest.mark.parametrize(
    "text",
    [
        "from http import HTTPStatus",
        "import re\nx = re.compile('a').match(text)",
        "from datetime import datetime\ny = datetime.fromtimestamp(now_s)",
        "def f(now: float) -> float:\n    return now + 1",
        "osmium = 1\nimport timeit_table",
    ],
)
def test_deciding_from_arguments_is_pure(text: str) -> None:
    """Time may come in as a value; names that only resemble forbidden ones are fine."""
    assert list(impurities(Source("proxy/a.py", text))) == []


def test_only_marked_files_are_held_to_it(tmp_path: Path) -> None:
    """The same line is a problem under the mark and none without it."""
    (tmp_path / "proxy").mkdir()
    file = tmp_path / "proxy" / "a.py"
    file.write_text('"""Acts."""\nimport time\n')
    assert pure_check.main(tmp_path) == 0
    file.write_text('"""PURE."""\nimport time\n')
    assert pure_check.main(tmp_path) == 1

"""`proxy.settings.apart`: a child reads the file, and where it can't, nothing is different."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.settings import apart
from proxy.settings.apart import Apart, Reading, pickled, read_here
from tests.support.sidecar import REPOSITORY
from tests.unit.settings.example import BASE, annotated, shared

_WARNING = BASE.replace("routes:", "  spare: {upstreams: {s: {url: 'https://s.example'}}}\nroutes:")
_PROGRAM = """
import json, os, signal, sys
from pathlib import Path
from proxy.settings.apart import Apart
{before}
reading = Apart(Path(sys.argv[1])).reading()
try:
    left = os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    left = None
read = any(name in sys.modules for name in ("pydantic", "yaml", "proxy.settings.load"))
names = [] if reading.setup is None else list(reading.setup.built.upstreams)
print(json.dumps([names, reading.said, read, left, len(os.listdir("/proc/self/fd"))]))
"""


def _told(file: Path, before: str = "") -> Any:
    """(upstreams, what was said, read in this process, a child that is left, open descriptors)."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(before=before), str(file)],
        capture_output=True, text=True, check=True, timeout=60, cwd=REPOSITORY,
    )  # fmt: skip
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A file that can be used."""
    file = tmp_path / "good.yaml"
    file.write_text(BASE, encoding="utf-8")
    return file


def test_a_child_reads_and_leaves_nothing_behind(good: Path) -> None:
    """No library that reads is loaded here; no process, zombie or descriptor stays."""
    names, said, read, left, descriptors = _told(good)
    assert (names, said) == (["north-a", "north-b", "south-a"], "")
    assert (read, left) == (False, None)
    assert descriptors <= 4  # the standard ones, and the one that lists them


def test_problems_and_warnings_are_told_as_if_they_were_read_here(tmp_path: Path) -> None:
    """Word for word, and read once: a file may be a pipe."""
    for name, text in (("wrong.yaml", "version: 2\n"), ("warned.yaml", _WARNING)):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        names, said, read, _, _ = _told(file)
        here = read_here(file)
        assert said == here.said != ""
        assert (bool(names), read) == (here.setup is not None, False)


@pytest.mark.parametrize(
    "before",
    [
        "os.fork = lambda: (_ for _ in ()).throw(PermissionError(1, 'no'))",
        "import proxy.settings.apart as apart; apart._TASKS = '/nowhere'",
        "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()",
        "import proxy.settings.apart as apart; apart.pickled = lambda _: os.kill(os.getpid(), 9)",
        "import proxy.settings.apart as apart; apart.pickled = lambda _: 1 / 0",
    ],
    ids=["no fork", "no proc", "threads", "killed", "a bug"],
)
def test_where_no_child_tells_all_the_file_is_read_here(good: Path, before: str) -> None:
    """It may be forbidden, ended from outside, or fail: the start is slower and nothing else."""
    names, said, read, left, descriptors = _told(good, before)
    assert (names, said) == (["north-a", "north-b", "south-a"], "")
    assert (read, left) == (True, None)
    assert descriptors <= 4


def test_a_parent_that_ignores_the_ends_of_children_has_one_too(good: Path) -> None:
    """Some supervisors leave SIGCHLD ignored."""
    names, _, read, left, _ = _told(good, "signal.signal(signal.SIGCHLD, signal.SIG_IGN)")
    assert (len(names), read, left) == (3, False, None)


def test_a_process_with_threads_has_no_child(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that one of them held would stay locked."""
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    monkeypatch.delattr(os, "fork")
    try:
        assert Apart(good).reading() == read_here(good)
    finally:
        ended.set()
        thread.join()
    monkeypatch.setattr(apart, "_TASKS", "/nowhere")
    assert Apart(good).reading() == read_here(good)


@pytest.mark.parametrize("example", [annotated, shared])
def test_everything_that_can_be_said_arrives_as_it_was(
    example: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each value, and shared ones are shared still: a pool belongs to one upstream."""
    monkeypatch.setenv("NORTHPAY_KEY", "key")
    monkeypatch.setenv("TIDEGATE_JOURNAL_URL", "postgresql://me:hunter2@db.example/pay")
    reading = read_here(example(tmp_path))
    came: Reading = pickle.loads(pickled(reading))
    assert came == reading
    assert came.setup is not None
    built = came.setup.built
    for route in built.routes:
        for candidate in route.candidates:
            assert candidate.upstream is built.upstreams[candidate.upstream.name]

"""`proxy.__main__`: a plain run and one that typer reads are the same to whoever types."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import config
from tests.support.origin import Origin
from tests.support.sidecar import REPOSITORY, Sidecar


def _ended(*arguments: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "proxy", *arguments]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, cwd=REPOSITORY
    )
    return done.returncode, done.stdout, done.stderr


def test_both_ways_tell_the_same_of_a_file_with_problems(tmp_path: Path) -> None:
    """Exit code, words and streams."""
    file = config.write(tmp_path, {"version": 1, "colour": "red"})
    plain = _ended("run", "--config", str(file))
    assert plain == _ended("run", f"--config={file}")
    assert (plain[0], plain[1]) == (1, "")
    assert plain[2].count("remedy:") == 3


def test_what_is_no_plain_run_has_typers_answer(tmp_path: Path) -> None:
    """Exit code 2 for a command line that is wrong."""
    code, _, said = _ended("run", "--config", str(tmp_path / "a.yaml"), "--loop", "trio")
    assert (code, said) == (2, "unknown loop 'trio': choose uvloop or asyncio\n")
    code, _, said = _ended("run", "--conf", "a.yaml")
    assert code == 2
    assert "--config" in said


def test_a_running_sidecar_has_no_library_that_it_no_longer_needs(tmp_path: Path) -> None:
    """What reads files and command lines is not in its memory, and no child is left."""
    with Origin() as origin:
        routes = [config.route("/psp/", ["a"])]
        document = config.document({"a": config.upstream(origin.port)}, routes)
        with Sidecar(document, tmp_path) as sidecar:
            process = Path(f"/proc/{sidecar.process.pid}")
            mapped = (process / "maps").read_text()
            children = (process / "task" / process.name / "children").read_text()
    assert "httptools" in mapped
    assert "pydantic_core" not in mapped
    assert "_yaml" not in mapped
    assert children == ""


def _takes_interrupts() -> None:
    """Also where the tests run in the background of a shell, which has them ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_file_is_read_ends_both(tmp_path: Path, number: int) -> None:
    """It waits for a pipe that nobody writes; no traceback, and nobody is left."""
    file = tmp_path / "pipe.yaml"
    os.mkfifo(file)
    command = [sys.executable, "-m", "proxy", "run", "--config", str(file)]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, cwd=REPOSITORY, start_new_session=True,
        preexec_fn=_takes_interrupts,  # noqa: PLW1509 - no thread of ours is at work
    )  # fmt: skip
    with process, file.open("wb") as pipe:  # opens when the reader is there
        os.killpg(process.pid, number)
        _, said = process.communicate(timeout=30)
        assert process.returncode == (130 if number == signal.SIGINT else -number)
        assert said == b""
        watched = select.poll()
        watched.register(pipe, 0)
        assert watched.poll(10_000) == [(pipe.fileno(), select.POLLERR)]  # the reader is gone

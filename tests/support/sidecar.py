"""Starts the real `tidegate run` process, tells where it listens, and ends it by its id.

The process is started as an operator would start it; its standard output
(canonical log lines) and standard error go to files in the directory given,
or the former to a descriptor, where a run writes more than a file should hold.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support import config as configuration

READY = re.compile(r"^tidegate ready: payments (\S+) admin (\S+)$", re.MULTILINE)
READY_WAIT_S = 20.0
"""Generous: two workers share two cores. How fast it starts is a bar of the bench."""
STOP_WAIT_S = 45.0
"""Above the longest drain a test configures."""
REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = os.environ.get("TIDEGATE_PACKAGE") or str(REPOSITORY)
"""Where the sidecar's `proxy` stands: this tree, or a folder that `make compiled` made of it."""

Address = tuple[str, int] | str
"""Host and port, or the path of a Unix socket."""


class SidecarError(Exception):
    """The process did not start or did not stop; carries what it said on standard error."""


def parse_address(text: str) -> Address:
    """An address of the ready line: `http://host:port` or `unix:/path`."""
    if text.startswith("unix:"):
        return text.removeprefix("unix:")
    host, _, port = text.removeprefix("http://").rpartition(":")
    return (host, int(port))


class Sidecar:
    """A running sidecar; use as a context manager, so that it is ended whatever happens.

    `within` is a command that prepares a place and then becomes the sidecar.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        directory: Path,
        *,
        loop: str = "uvloop",
        environment: Mapping[str, str] | None = None,
        stdout: int | None = None,
        within: Sequence[str] = (),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._stdout_path = directory / "stdout.jsonl"
        self._stderr_path = directory / "stderr.txt"
        file = configuration.write(directory, config)
        command = [
            *within,
            sys.executable,
            "-m",
            "proxy",
            "run",
            "--config",
            str(file),
            "--loop",
            loop,
        ]
        surroundings = {**os.environ, "PYTHONPATH": PACKAGE, **(environment or {})}
        if loop != "uvloop":  # its lines are those of the other loop: to trace them once will do
            surroundings.pop("COVERAGE_PROCESS_CONFIG", None)
        with self._stdout_path.open("wb") as out, self._stderr_path.open("wb") as err:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out if stdout is None else stdout,
                stderr=err,
                cwd=directory,
                env=surroundings,
            )
        try:
            self.payments, self.admin = self._wait_ready()
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def port(self) -> int:
        """The payment port, when it is TCP."""
        assert isinstance(self.payments, tuple)
        return self.payments[1]

    @property
    def stderr(self) -> str:
        """Everything said on standard error so far."""
        return self._stderr_path.read_text(encoding="utf-8", errors="replace")

    @property
    def stdout(self) -> str:
        """Everything said on standard output so far."""
        return self._stdout_path.read_text(encoding="utf-8", errors="replace")

    def log_lines(self) -> list[dict[str, Any]]:
        """The canonical log lines written so far, whole lines only."""
        whole, _, _ = self.stdout.rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def admin_get(self, path: str) -> str:
        """The text of one admin page; raises `urllib.error.HTTPError` unless 2xx."""
        assert isinstance(self.admin, tuple)
        url = f"http://{self.admin[0]}:{self.admin[1]}{path}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())

    def rss_bytes(self) -> int:
        """Resident memory right now."""
        statm = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii")
        return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def terminate(self) -> None:
        """Ask it to drain and exit; returns at once."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self, timeout_s: float = STOP_WAIT_S) -> int:
        """The exit code, once it has ended; raises `subprocess.TimeoutExpired`."""
        return self.process.wait(timeout_s)

    def stop(self, timeout_s: float = STOP_WAIT_S) -> int:
        """Drain, wait and return the exit code."""
        self.terminate()
        return self.wait(timeout_s)

    def kill(self) -> None:
        """End it at once, if it still runs; it is over when this returns."""
        if self.alive():
            self.process.kill()
        self.process.wait()

    def _wait_ready(self) -> tuple[Address, Address]:
        give_up_at = time.monotonic() + READY_WAIT_S
        while time.monotonic() < give_up_at:
            found = READY.search(self.stderr)
            if found:
                return parse_address(found[1]), parse_address(found[2])
            if not self.alive():
                raise SidecarError(f"exited {self.process.returncode}: {self.stderr}")
            time.sleep(0.005)
        raise SidecarError(f"not ready after {READY_WAIT_S} s: {self.stderr}")

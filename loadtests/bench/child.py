"""A child process that is pinned, awaited, weighed and always ended, by its pid."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from loadtests.bench.host import REPOSITORY, BenchError, spawning_on

READY_TIMEOUT_S = 20.0
POLL_S = 0.002
STOP_TIMEOUT_S = 10.0
STDERR_TAIL_BYTES = 2000


class Child:
    """A running program; use as a context manager so that it ends with the block."""

    def __init__(self, argv: Sequence[str], core: int, directory: Path, stdout: Path) -> None:
        """Start `argv` on `core`. stdout goes to a file, stderr to `directory/stderr`."""
        self.name = Path(argv[0]).name
        self._stderr = directory / "stderr"
        with stdout.open("wb") as out, self._stderr.open("wb") as err, spawning_on(core):
            self.started_at = time.monotonic()
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=REPOSITORY
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def wait_ready(self, port: int) -> float:
        """Connect every 2 ms until `port` accepts; seconds from exec to the accepted connection."""
        give_up_at = self.started_at + READY_TIMEOUT_S
        while time.monotonic() < give_up_at:
            if self._process.poll() is not None:
                raise BenchError(f"{self.name} ended while starting: {self.complaint()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return time.monotonic() - self.started_at
            time.sleep(POLL_S)
        raise BenchError(f"{self.name} not ready in {READY_TIMEOUT_S:.0f} s: {self.complaint()}")

    def complaint(self) -> str:
        """The end of what the program wrote to stderr."""
        tail = self._stderr.read_bytes()[-STDERR_TAIL_BYTES:]
        return tail.decode("utf-8", errors="replace").strip() or "(stderr is empty)"

    def running(self) -> bool:
        """Whether the program is still there."""
        return self._process.poll() is None

    def rss_mb(self) -> float:
        """Resident memory of the program and its children, in MB of 10^6 bytes."""
        return sum(_rss_bytes(pid) for pid in self._tree()) / 1e6

    def cpu_s(self) -> float:
        """CPU seconds of the program and its children so far."""
        return sum(_cpu_s(pid) for pid in self._tree())

    def stop(self) -> None:
        """SIGTERM, bounded wait, then SIGKILL for it and the children it had."""
        if self._process.poll() is not None:
            return
        tree = self._tree()
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            for pid in tree:
                _kill(pid)
            self._process.wait(STOP_TIMEOUT_S)

    def _tree(self) -> list[int]:
        """Pids of the program and all its descendants."""
        pids = [self._process.pid]
        for pid in pids:
            for listing in Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    pids.extend(int(child) for child in listing.read_text("ascii").split())
                except (FileNotFoundError, ProcessLookupError):
                    continue  # that thread ended between listing and reading
        return pids


def _rss_bytes(pid: int) -> int:
    """Resident bytes of one process; 0 when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text("ascii").split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def _cpu_s(pid: int) -> float:
    """User and system seconds of one process; 0 when it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    after_name = stat.rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def _kill(pid: int) -> None:
    """SIGKILL, content when the process is gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return

"""Child processes of a replay: started, waited for and ended by their own process id."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

_POLL_S = 0.01
_TAIL_LINES = 15
_REPOSITORY = Path(__file__).resolve().parents[2]


class ReplayError(Exception):
    """The replay could not be carried through; the text is for a person."""


def environment(command: Sequence[str] = ()) -> dict[str, str]:
    """Where children find `proxy`: in the folder that TIDEGATE_PACKAGE names, or in this tree.

    Always in this tree for a program of ours that sets something else in the product's place:
    compiled functions call each other past whatever was set in their module.
    """
    altered = any(word.startswith("loadtests.incidents.") for word in command)
    package = None if altered else os.environ.get("TIDEGATE_PACKAGE")
    path = os.pathsep.join(filter(None, (package, str(_REPOSITORY))))
    return {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


class Process:
    """A child with its output in files beside each other: `NAME.out` and `NAME.err`.

    It lives in a session of its own, so that a Ctrl-C at the terminal reaches
    the replay alone, which then ends its children in order.
    """

    def __init__(self, name: str, command: Sequence[str], directory: Path) -> None:
        self.name = name
        self.out_path = directory / f"{name}.out"
        self.err_path = directory / f"{name}.err"
        with self.out_path.open("ab") as out, self.err_path.open("ab") as err:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                env=environment(command),
            )

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._popen.pid

    def check_alive(self) -> None:
        """Raise if the child has ended although nobody asked it to."""
        code = self._popen.poll()
        if code is not None:
            raise ReplayError(f"{self.name} ended with code {code}:\n{self._tail()}")

    async def line(self, pattern: str, path: Path, timeout_s: float) -> re.Match[str]:
        """The first line of `path`, one of the output files, that matches `pattern`."""
        give_up_at = time.monotonic() + timeout_s
        while True:
            match = re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
            if match:
                return match
            self.check_alive()
            if time.monotonic() > give_up_at:
                raise ReplayError(
                    f"{self.name} was not ready after {timeout_s:g} s:\n{self._tail()}"
                )
            await asyncio.sleep(_POLL_S)

    async def ended(self, timeout_s: float) -> None:
        """Wait until it ends by itself. Raises if it fails, or takes too long."""
        give_up_at = time.monotonic() + timeout_s
        while (code := self._popen.poll()) is None:
            if time.monotonic() > give_up_at:
                await self.stop()
                raise ReplayError(f"{self.name} did not end within {timeout_s:g} s")
            await asyncio.sleep(_POLL_S)
        if code != 0:
            raise ReplayError(f"{self.name} ended with code {code}:\n{self._tail()}")

    async def stop(self, grace_s: float = 5.0) -> int:
        """End the child: SIGTERM, and SIGKILL for one that outlives `grace_s`. Its exit code."""
        give_up_at = time.monotonic() + grace_s
        self._signal(signal.SIGTERM)
        while self._popen.poll() is None:
            if time.monotonic() > give_up_at:
                self._signal(signal.SIGKILL)
                return self._popen.wait()
            await asyncio.sleep(_POLL_S)
        return self._popen.returncode

    async def pause(self) -> None:
        """SIGSTOP, until every thread stands still: not one instruction more."""
        self._signal(signal.SIGSTOP)
        await self.stopped(0.0)

    async def stopped(self, poll_s: float = _POLL_S) -> None:
        """Wait until every thread stands still."""
        tasks = Path(f"/proc/{self.pid}/task")
        while any(_state(task) not in "TZX" for task in tasks.iterdir()):
            self.check_alive()
            await asyncio.sleep(poll_s)

    def wake(self) -> None:
        """SIGCONT after a pause."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone. Raises if it had ended by itself before."""
        self.check_alive()
        self._signal(signal.SIGKILL)
        self._popen.wait()

    def forget(self) -> None:
        """Remove its output."""
        for path in (self.out_path, self.err_path):
            path.unlink(missing_ok=True)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._popen.send_signal(number)

    def _tail(self) -> str:
        lines = self.err_path.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])


def _state(task: Path) -> str:
    """The kernel's letter for what a thread does."""
    return (task / "stat").read_text(encoding="latin-1").rpartition(")")[2].split()[0]

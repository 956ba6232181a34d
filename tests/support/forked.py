"""Sidecars that a template becomes: started at a quarter of the cost, with the same code."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from tests.support.template import ASKED_BYTES_MAX

_PROGRAM = Path(__file__).with_name("template.py")
_ANSWER_WAIT_S = 30.0
"""Above what the imports before the first answer take on a busy machine."""


class Template:
    """One template process; `start` makes a sidecar of a copy of it. `package` holds `proxy`.

    Neither it nor its children are traced for coverage.
    """

    def __init__(self, package: str) -> None:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {**os.environ, "PYTHONPATH": package}
        environment.pop("COVERAGE_PROCESS_CONFIG", None)
        with its:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_PROGRAM), str(its.fileno())],
                stdin=subprocess.DEVNULL,
                env=environment,
                pass_fds=[its.fileno()],
            )
        ours.settimeout(_ANSWER_WAIT_S)
        self._socket = ours
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()
        self._process.wait()

    def start(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        out: int,
        err: int,
    ) -> Forked:
        """One `tidegate` with these arguments, which writes to these descriptors."""
        asked = {"arguments": arguments, "folder": str(folder), "environment": dict(environment)}
        return Forked(self.ask(asked, out, err), self)

    def ask(self, asked: Mapping[str, Any], *descriptors: int) -> Any:
        """The template's answer."""
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(asked).encode()], list(descriptors))
            return json.loads(self._socket.recv(ASKED_BYTES_MAX))


class Forked:
    """A child of a template, to be used like a `subprocess.Popen`."""

    def __init__(self, pid: int, template: Template) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._template = template

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        if self.returncode is None:
            self.returncode = self._template.ask({"wait": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended; raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            handle = os.pidfd_open(self.pid)
            ended = select.poll()
            ended.register(handle, select.POLLIN)
            ended.poll(None if timeout is None else timeout * 1000.0)
            os.close(handle)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("tidegate", timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended; until it is waited for its number is its own."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

"""A partner process held by a test or a replay: start it, break it, read its ledger, end it.

Synchronous and standard library only, so that it can be used anywhere. The
process ends when this one does, even if this one is killed: its standard input
is a pipe that we hold.
"""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from proxy.sandbox.options import PartnerOptions

READY_S = 20.0
"""How long a start may take; it takes 0.4 s on an idle machine."""
STOP_S = 10.0
_ROOT = Path(__file__).resolve().parents[2]


class SandboxError(Exception):
    """A partner did not start, or its control site refused something."""


class SandboxPartner:
    """One partner process.

    The constructor starts it and does not wait, so that several start at once;
    `start` and `start_all` wait until it is ready.
    """

    def __init__(self, options: PartnerOptions) -> None:
        self.options = options
        self.name = options.name
        self.ledger_path = options.ledger
        self.port = 0
        self.url = ""
        self.control_port = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._said = b""
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            [
                *(sys.executable, "-m", "proxy.sandbox"),
                *replace(options, end_with_stdin=True).arguments(),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
            start_new_session=True,
        )

    @classmethod
    def start(
        cls, kind: str, name: str, *, ledger: Path | None = None, **options: Any
    ) -> SandboxPartner:
        """A ready partner on free ports; without `ledger` in a folder that goes with it."""
        partner = cls.launch(kind, name, ledger=ledger, **options)
        partner.wait_ready()
        return partner

    @classmethod
    def launch(
        cls, kind: str, name: str, *, ledger: Path | None = None, **options: Any
    ) -> SandboxPartner:
        """Like `start`, without waiting; call `wait_ready` before anything else."""
        folder = None
        if ledger is None:
            folder = tempfile.TemporaryDirectory(prefix="sandbox-")
            ledger = Path(folder.name) / f"{name}.jsonl"
        ports = {"port": 0, "control_port": 0}
        partner = cls(PartnerOptions(kind, name, ledger=ledger, **{**ports, **options}))
        partner._folder = folder
        return partner

    def wait_ready(self, timeout_s: float = READY_S) -> None:
        """Wait for the ready line; raises SandboxError if the process ends or takes too long."""
        try:
            line = self._ready_line(time.monotonic() + timeout_s)
        except SandboxError:
            self.kill()
            raise
        words = line.split()
        self.url, control = words[-3], words[-1]
        self.port = urlsplit(self.url).port or 0
        self.control_port = urlsplit(control).port or 0

    def set_faults(self, *rules: Mapping[str, Any]) -> None:
        """Put these rules in force, in place of all others; in effect on return."""
        self._control("PUT", "/faults", json.dumps(rules).encode())

    def clear(self) -> None:
        """Take every fault away."""
        self._control("DELETE", "/faults")

    def faults(self) -> list[dict[str, Any]]:
        """The rules in force."""
        found: list[dict[str, Any]] = self._control("GET", "/faults")
        return found

    def stats(self) -> dict[str, Any]:
        """What the partner counts about itself."""
        found: dict[str, Any] = self._control("GET", "/stats")
        return found

    def ledger(self, since: int = 0) -> list[dict[str, Any]]:
        """What it executed, by the file itself, so also after its death."""
        if not self.ledger_path.exists():
            return []
        content = self.ledger_path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        return [json.loads(line) for line in whole.splitlines()[since:]]

    def stop(self) -> int:
        """End it with SIGTERM and return its exit code; a temporary ledger goes too."""
        self._signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            code = self.process.wait()
        self._let_go()
        return code

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would; a ledger given by path stays."""
        self._signal(signal.SIGKILL)
        self.process.wait()
        self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _signal(self, number: int) -> None:
        """Send a signal by id, unless the process has ended (Popen knows)."""
        self.process.send_signal(number)

    def _let_go(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        if self._folder is not None:
            self._folder.cleanup()

    def _ready_line(self, deadline: float) -> str:
        assert self.process.stdout is not None
        fd = self.process.stdout.fileno()
        while b"\n" not in self._said:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([fd], [], [], left_s)[0]:
                raise SandboxError(f"partner {self.name} was not ready in time")
            piece = os.read(fd, 4096)
            if not piece:
                code = self.process.wait()
                raise SandboxError(f"partner {self.name} ended before it was ready, exit {code}")
            self._said += piece
        return self._said.decode()

    def _control(self, method: str, path: str, body: bytes | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.control_port, timeout=STOP_S)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            found = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise SandboxError(f"partner {self.name}: {found['error']}")
        return found


def start_all(*many: PartnerOptions) -> list[SandboxPartner]:
    """Start several partners at once; if one fails, none is left behind."""
    partners = [SandboxPartner(options) for options in many]
    try:
        for partner in partners:
            partner.wait_ready()
    except BaseException:
        for partner in partners:
            partner.kill()
        raise
    return partners


def _environment() -> dict[str, str]:
    """Ours, with the package on the path wherever the process is started."""
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}

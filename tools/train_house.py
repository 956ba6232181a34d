"""The sidecar and the partners that a training runs: real processes, on free ports of 127.0.0.1.

The sidecar is that of the folder given; the partners are those of the sources, so that what they
do is not counted. All that is written goes into a temporary folder.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from proxy.sandbox.client import SandboxError, SandboxPartner, start_all
from proxy.sandbox.options import PartnerOptions
from tools.train_settings import PARTNERS, settings

READY_S = 60.0
"""How long the sidecar may take to start; code that counts is slow, and so is a busy machine."""
STOP_S = 60.0
_READY = re.compile(
    r"^tidegate ready: payments http://(\S+):(\d+) admin http://(\S+):(\d+)$", re.MULTILINE
)
_POLL_S = 0.01
_SAID_CHARACTERS_MAX = 4000


class TrainingError(Exception):
    """The training did not do what it says it does; the text says what happened instead."""


class House(ExitStack):
    """All of them, started; use as a context manager, so that they are ended whatever happens."""

    def __init__(self, package: Path) -> None:
        super().__init__()
        self._folder = Path(self.enter_context(tempfile.TemporaryDirectory()))
        try:
            self.partners = self._start_partners()
            self.process = self._start_sidecar(package)
            self.payments, self.admin = self._wait_ready()
        except BaseException:
            self.close()
            raise

    def said(self) -> str:
        """The end of what the sidecar has said on standard error."""
        text = (self._folder / "stderr.txt").read_text(encoding="utf-8", errors="replace")
        return text[-_SAID_CHARACTERS_MAX:]

    def end(self) -> None:
        """Ends the sidecar as its operator would: it writes its counts at exit."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            raise TrainingError(f"the sidecar did not end within {STOP_S:g} s") from None
        if status != 0:
            raise TrainingError(f"the sidecar ended with status {status}")

    def _start_partners(self) -> dict[str, SandboxPartner]:
        wanted = [
            PartnerOptions(kind, name, 0, 0, self._folder / f"{name}.jsonl", end_with_stdin=True)
            for name, kind in PARTNERS.items()
        ]
        try:
            started = start_all(*wanted)
        except SandboxError as problem:
            raise TrainingError(str(problem)) from problem
        for partner in started:
            self.callback(partner.stop)
        return {partner.name: partner for partner in started}

    def _start_sidecar(self, package: Path) -> subprocess.Popen[bytes]:
        ports = {name: partner.port for name, partner in self.partners.items()}
        file = self._folder / "tidegate.yaml"
        file.write_text(json.dumps(settings(self._folder, ports)), encoding="utf-8")
        out = self.enter_context((self._folder / "stdout.jsonl").open("wb"))
        errors = self.enter_context((self._folder / "stderr.txt").open("wb"))
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "proxy", "run", "--config", str(file)],
            stdin=subprocess.DEVNULL, stdout=out, stderr=errors, cwd=self._folder,
            env={**os.environ, "PYTHONPATH": str(package)},
        )  # fmt: skip
        self.callback(_kill, process)
        return process

    def _wait_ready(self) -> tuple[tuple[str, int], tuple[str, int]]:
        """Where it takes payments, and where its admin listener is."""
        give_up_at = time.monotonic() + READY_S
        while time.monotonic() < give_up_at:
            if found := _READY.search(self.said()):
                return (found[1], int(found[2])), (found[3], int(found[4]))
            if self.process.poll() is not None:
                break
            time.sleep(_POLL_S)
        raise TrainingError(f"the sidecar did not start; it said:\n{self.said()}")


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()

"""A sidecar that dies and comes back, on the same port and the same journal."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from loadtests.incidents.process import Process, ReplayError

TIDEGATE = ("-m", "proxy", "run")
_READY_S = 30.0
_READY_LINE = r"^tidegate ready: payments (http://\S+) admin (http://\S+)$"
_POLL_S = 0.005
_PORTS = (20_000, 30_000)
"""Below those that the kernel gives to connections: else, while nobody listens, a caller that
connects could be given the port itself, and talk to nobody but itself."""


class MortalSidecar:
    """The real process; `kill` it as often as you like, `start` it again, `stop` it at the end.

    `command` is what follows the interpreter: a mutant of the sidecar is another module.
    """

    def __init__(
        self,
        directory: Path,
        config: Mapping[str, Any],
        command: Sequence[str] = TIDEGATE,
        name: str = "sidecar",
    ) -> None:
        self._directory = directory
        self._name = name
        path = directory / f"{name}.yaml"
        path.write_text(json.dumps(config, indent=2), encoding="utf-8")
        self._command = [sys.executable, *command, "--config", str(path)]
        self.url = f"http://{config['listen']['address']}"
        self._lives = 0
        self._process: Process | None = None
        self.began_at = 0.0

    @property
    def process(self) -> Process:
        """The one that is alive."""
        if self._process is None:
            raise ReplayError("the sidecar is not running")
        return self._process

    def launch(self) -> None:
        """Start it, and do not wait."""
        self._lives += 1
        self.began_at = time.monotonic()
        self._process = Process(f"{self._name}-{self._lives}", self._command, self._directory)

    async def listening(self) -> float:
        """Wait until it takes payments; the seconds since it was started."""
        port = int(self.url.rpartition(":")[2])
        while True:
            self.process.check_alive()
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return time.monotonic() - self.began_at
            if time.monotonic() > self.began_at + _READY_S:
                raise ReplayError(f"the sidecar did not listen within {_READY_S:g} s")
            await asyncio.sleep(_POLL_S)

    async def ready(self) -> float:
        """Wait for the line that says so; the seconds since it was started."""
        await self.process.line(_READY_LINE, self.process.err_path, _READY_S)
        return time.monotonic() - self.began_at

    async def stopped(self) -> None:
        """Wait until it has stopped itself."""
        await self.process.stopped()

    def wake(self) -> None:
        """SIGCONT."""
        self.process.wake()

    def kill(self) -> None:
        """SIGKILL, also while it is stopped; its output goes too, for there may be thousands."""
        process = self.process
        self._process = None
        process.kill()
        process.forget()

    async def stop(self) -> int:
        """End it in order, if it is alive; its exit code."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        return await process.stop()


def free_port(rng: random.Random) -> int:
    """A port that nobody holds now, and that no outgoing connection will be given."""
    while True:
        port = rng.randrange(*_PORTS)
        with closing(socket.socket()) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port

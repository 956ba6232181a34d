"""A real PostgreSQL for one replay or test: a child process of ours, on the disk it is given.

The binaries come out of the package `pgserver`; its Python side is not used,
since it changes permissions of parent folders and does not notice a server that
was killed. PostgreSQL refuses to run as root, so root starts it in a user
namespace in which it is nobody; that needs no permission changed anywhere.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path

from loadtests.incidents.process import ReplayError

_AS_NOBODY = ("unshare", "--user", "--map-user=65534", "--map-group=65534")
_READY_S = 20.0
_STOP_S = 10.0
_POLL_S = 0.01


def binaries() -> Path:
    """The folder of `initdb` and `postgres`: the package's, else the one on the PATH.

    Raises ReplayError where there is none.
    """
    found = importlib.util.find_spec("pgserver")
    if found is not None and found.origin is not None:
        return Path(found.origin).parent / "pginstall" / "bin"
    installed = shutil.which("postgres")
    if installed is None:
        raise ReplayError("no PostgreSQL: install pgserver, or put a server's binaries on the PATH")
    return Path(installed).parent


def _command(name: str, *arguments: str) -> list[str]:
    prefix = _AS_NOBODY if os.geteuid() == 0 else ()
    return [*prefix, str(binaries() / name), *arguments]


class PostgresServer:
    """One server; `url` of a database is what `journal.shared.url` takes."""

    def __init__(self, directory: Path, **settings: str) -> None:
        """Make the cluster and start it. Raises ReplayError."""
        self._directory = directory
        self._data = directory / "data"
        self._settings = settings
        directory.mkdir(parents=True, exist_ok=True)
        made = subprocess.run(
            _command(
                "initdb", "--no-sync", "--username", "tidegate", "--auth", "trust",
                "--encoding", "UTF8", "--locale", "C", "--pgdata", str(self._data),
            ),
            capture_output=True, check=False, text=True, timeout=60,
        )  # fmt: skip
        if made.returncode != 0:
            raise ReplayError(f"initdb failed: {made.stderr.strip()}")
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def url(self, database: str = "postgres") -> str:
        """Where clients find a database of it."""
        return f"postgresql://tidegate@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it takes connections. Raises ReplayError."""
        options = [
            f"-c{name}={value}"
            for name, value in {"max_connections": "100", **self._settings}.items()
        ]
        log = open(self._directory / "postgres.log", "ab")  # noqa: SIM115 - the child keeps it
        with log:
            self._process = subprocess.Popen(
                _command(
                    "postgres", "-D", str(self._data), "-h", "127.0.0.1", "-p", str(self.port),
                    "-k", "", *options,
                ),
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        ends_at = time.monotonic() + _READY_S
        while not self._takes_connections():
            if self._process.poll() is not None or time.monotonic() > ends_at:
                tail = (self._directory / "postgres.log").read_text(errors="replace")[-2000:]
                raise ReplayError(f"PostgreSQL did not start: {tail}")
            time.sleep(_POLL_S)

    def _takes_connections(self) -> bool:
        """Whether a session begins: a listening port is not enough while it recovers."""
        answer = b""
        with closing(socket.socket()) as probe:
            probe.settimeout(1.0)
            try:
                probe.connect(("127.0.0.1", self.port))
                body = b"\x00\x03\x00\x00user\x00tidegate\x00database\x00postgres\x00\x00"
                probe.sendall((len(body) + 4).to_bytes(4, "big") + body)
                answer = probe.recv(1)
            except OSError:
                return False
        return answer == b"R"

    def stop(self) -> None:
        """Fast shutdown; what it had acknowledged is there at the next start."""
        self.thaw()
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Power off: every process of it, with SIGKILL."""
        process, self._process = self._process, None
        if process is None:
            return
        for pid in (process.pid, *_children(process.pid)):
            _signal(pid, signal.SIGKILL)
        process.wait(_STOP_S)
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def freeze(self) -> None:
        """It keeps its connections and answers nothing."""
        assert self._process is not None
        for pid in (self._process.pid, *_children(self._process.pid)):
            _signal(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        if self._process is not None:
            for pid in (*_children(self._process.pid), self._process.pid):
                _signal(pid, signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        _signal(process.pid, number)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            for pid in (process.pid, *_children(process.pid)):
                _signal(pid, signal.SIGKILL)
            process.wait(_STOP_S)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it ended by itself, which is what was wanted


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except OSError:
        return []

"""A process that has imported the sidecar and becomes one as often as it is asked to.

Most of what a sidecar's start costs is its imports, and tests start hundreds. Whoever
asks sends arguments, folder, environment and two descriptors; the process forks, and the
child runs the command `tidegate` with them, from its first line, and ends as it would.

Run as a program: `template.py DESCRIPTOR`, the socket it is asked by. It ends with its asker.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

ASKED_BYTES_MAX = 1 << 17
_EARLY = (
    "proxy.running",
    "proxy.admin.api",
    "proxy.idempotency.embedded",
    "proxy.idempotency.shared",
    "proxy.telemetry.otlp",
)
_EXAMPLE = Path(__file__).resolve().parents[2] / "config" / "tidegate.yaml"


def serve(asker: socket.socket) -> None:
    """Answer until the asker is gone; returns in a child that is to be a sidecar."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(asker, ASKED_BYTES_MAX, 2)
        if not message:
            os._exit(0)
        asked: dict[str, Any] = json.loads(message)
        if "wait" in asked:
            asker.send(json.dumps(_ended(asked["wait"])).encode())
            continue
        child = os.fork()
        if child == 0:
            asker.close()
            _become(asked, descriptors)
            return
        for each in descriptors:
            os.close(each)
        asker.send(json.dumps(child).encode())


def _ended(child: int) -> int | None:
    """The exit code of a child, as `subprocess` tells it; None while it runs."""
    ended, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _become(asked: dict[str, Any], descriptors: list[int]) -> None:
    """Take what a new process would be given."""
    for given, its in zip(descriptors, (1, 2), strict=True):
        os.dup2(given, its)
        os.close(given)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["tidegate", *asked["arguments"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)


def main() -> None:
    """Import, serve, and be a sidecar in the children."""
    asker = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the asker's business
    for name in _EARLY:
        import_module(name)
    from proxy.settings.apart import read_here

    read_here(_EXAMPLE)  # what it says does not matter: the models are made ready by it
    gc.collect()
    gc.freeze()  # a look for garbage in a copy would copy all of it
    serve(asker)
    from proxy.__main__ import main as tidegate

    tidegate()


if __name__ == "__main__":
    main()

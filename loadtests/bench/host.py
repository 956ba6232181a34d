"""The machine: two cores, free ports, and the outside programs that the bench needs."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]  # where `-m proxy` and `-m loadtests…` are found


class BenchError(Exception):
    """The bench cannot go on; the message says why and, where there is one, the remedy."""


@dataclass(frozen=True, slots=True)
class Cores:
    """One core for the subject alone; the other for wrk, the open loop and the upstream."""

    subject: int
    load: int


def choose_cores() -> Cores:
    """The two lowest cores that this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise BenchError("two CPU cores are needed: one for the subject, one for load and upstream")
    return Cores(subject=usable[0], load=usable[1])


@contextmanager
def spawning_on(core: int) -> Iterator[None]:
    """Children started inside inherit `core`; ours is put back after.

    Inheriting needs neither code between fork and exec nor a wrapper program whose own start
    would count in the time to ready. The bench has one thread, so nothing else is moved.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    """A loopback port that was free a moment ago, for programs that cannot report port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def find_program(name: str) -> str | None:
    """Path of a program, looked up in PATH and in the sbin folders that PATH may lack."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")


def need_program(name: str, package: str) -> str:
    """Path of a program, or an error that names the Debian package to install."""
    path = find_program(name)
    if path is None:
        raise BenchError(f"{name} is missing: apt-get install {package}")
    return path


def describe_machine() -> dict[str, object]:
    """What a reader needs to judge the figures: processor, kernel, Python and other load."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "python_prefix": sys.base_prefix,
        "load_average_1m": os.getloadavg()[0],
    }

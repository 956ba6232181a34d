"""Who holds a key: one run of one sidecar, named so that its death can be proven.

A name is `host/boot/pid namespace/pid/start`. A second sidecar that sees the
same boot and the same pid namespace can look: if no process has that pid, or
the one that has it started at another time, the run is dead, and that is
certain. From anywhere else it cannot be told from a run that is only slow, and
the lease decides.
"""

from __future__ import annotations

import os
from pathlib import Path

_START_FIELD = 19
"""Of /proc/PID/stat, counted behind the name in brackets: clock ticks after boot."""


def this_run() -> str:
    """The name of this process."""
    pid = os.getpid()
    return "/".join((os.uname().nodename, _boot(), _pid_namespace(), str(pid), _started(pid) or ""))


def is_dead(owner: str) -> bool:
    """Whether it is certain that this run has ended."""
    parts = owner.split("/")
    if len(parts) != 5 or not (parts[1] and parts[2] and parts[3].isdigit() and parts[4]):
        return False
    if (parts[1], parts[2]) != (_boot(), _pid_namespace()):
        return False
    pid = int(parts[3])
    started = _started(pid)
    return not _exists(pid) if started is None else started != parts[4]


def _boot() -> str:
    return _read(Path("/proc/sys/kernel/random/boot_id")) or ""


def _pid_namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid").removeprefix("pid:")
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """When the process with this number started, or None if none can be seen.

    A zombie has ended: it can send nothing any more.
    """
    text = _read(Path(f"/proc/{pid}/stat"))
    if text is None:
        return None
    fields = text.rpartition(")")[2].split()
    return "ended" if fields[0] in ("Z", "X") else fields[_START_FIELD]


def _exists(pid: int) -> bool:
    """Asks the kernel itself: /proc may hide the processes of others."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None

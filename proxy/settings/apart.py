"""Reads the configuration in a process of its own, which ends when it has told what it read.

The libraries that read and judge a file take a quarter of the memory of an idle sidecar
and half of the time until it is ready, and nothing needs them once the file is read. So
a child does that while the parent imports what serves calls, and tells the plain values
through a pipe: credentials are among them, and no disk and no third process sees them.

The child is only a way to be ready sooner. Where there can be none, or it ends without
telling all, the parent reads the file itself, and reports whatever is wrong. A process
with threads has no child: a lock that one of them held would stay locked in it; and what
can be read only once, a pipe, is read here.
"""

from __future__ import annotations

import os
import pickle
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from proxy.model.setup import Setup

_TASKS = "/proc/self/task"
_ALL_TOLD = b"all told"


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of a file: a setup and its warnings, or no setup and all that is wrong."""

    setup: Setup | None
    said: str


class Apart:
    """One reading of `path`: it begins at once, `reading` waits for its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._child = _fork(path) if _is_alone() and path.is_file() else None

    def reading(self) -> Reading:
        """What came of it; asked for once."""
        if self._child is None:
            return read_here(self._path)
        child, pipe = self._child
        with os.fdopen(pipe, "rb") as end:
            data = end.read()
        with suppress(ChildProcessError):  # where SIGCHLD is ignored, nobody is waited for
            os.waitpid(child, 0)
        if not data.endswith(_ALL_TOLD):
            return read_here(self._path)
        told: Reading = pickle.loads(data)  # noqa: S301 - our own child wrote it
        return told


def read_here(path: Path) -> Reading:
    """Read it in this process."""
    from proxy.settings.build_setup import build_setup
    from proxy.settings.load import SettingsError, load

    try:
        loaded = load(path)
    except SettingsError as error:
        return Reading(None, f"{error}\n")
    warnings = (f"warning: {each.render(str(path))}\n" for each in loaded.warnings)
    return Reading(build_setup(loaded), "".join(warnings))


def _is_alone() -> bool:
    """Whether this process has one thread, Python's or not."""
    try:
        return len(os.listdir(_TASKS)) == 1
    except OSError:
        return False


def _fork(path: Path) -> tuple[int, int] | None:
    """(the child, the pipe that it tells by); None where there can be none."""
    try:
        ours, its = os.pipe()
    except OSError:
        return None
    try:
        child = os.fork()
    except OSError:
        os.close(ours)
        os.close(its)
        return None
    if child == 0:
        os.close(ours)  # so that it ends, and does not wait, when the parent is gone
        _tell(path, its)
    os.close(its)
    return child, ours


def _tell(path: Path, pipe: int) -> NoReturn:
    """The child's whole life. What it fails at, the parent does again, and reports."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold credentials
        with os.fdopen(pipe, "wb") as end:
            end.write(pickled(read_here(path)) + _ALL_TOLD)
    finally:
        os._exit(0)


def pickled(value: Any) -> bytes:
    """Plain values, each once however often it is used, in a form that `pickle.loads` takes."""
    out = BytesIO()
    _Pickler(out, pickle.HIGHEST_PROTOCOL).dump(value)
    return out.getvalue()


class _Pickler(pickle.Pickler):
    """Makes records anew from their fields; compiled ones can't be pickled otherwise."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, MappingProxyType):
            return _view, (dict(value),)
        if is_dataclass(value) and not isinstance(value, type):
            given = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
            return _made, (type(value), given)
        return NotImplemented


def _made(kind: type, given: dict[str, Any]) -> Any:
    return kind(**given)


def _view(of: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(of)

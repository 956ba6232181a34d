"""What every proxy under test has to offer to the bench."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from loadtests.bench.calllog import LogFields
from loadtests.bench.telemetry import Told


@dataclass(frozen=True, slots=True)
class Place:
    """Where one start of a subject lives: its files, its port, and the upstream it relays to."""

    directory: Path
    port: int
    upstream_port: int
    admin_port: int = 0
    """For whoever serves metrics."""
    collector_port: int = 0
    """Where telemetry goes, by OTLP over HTTP."""

    @property
    def log(self) -> Path:
        """The access log: written by the subject itself, or its stdout sent there."""
        return self.directory / "calls.log"

    @property
    def stdout(self) -> Path:
        """Where stdout goes when it is not the access log."""
        return self.directory / "stdout"

    def write(self, name: str, text: str) -> Path:
        """Write a configuration file and return its path."""
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        return path


@dataclass(frozen=True, slots=True)
class Launch:
    """A command line, and whether its stdout is the access log."""

    argv: Sequence[str]
    logs_to_stdout: bool


class Subject(Protocol):
    """A proxy: relays every path of `place.port` to the upstream over kept-alive connections."""

    @property
    def name(self) -> str:
        """Name in tables, in `--subjects` and in the JSON file."""
        ...

    @property
    def fields(self) -> LogFields:
        """How its log lines name the six facts."""
        ...

    @property
    def told(self) -> Told | None:
        """What its telemetry is called; None for a subject without."""
        ...

    def absent(self) -> str | None:
        """Why it cannot take part here (with the remedy), or None."""
        ...

    def version(self) -> str:
        """Version of the program; called only when it is not absent."""
        ...

    def launch(self, place: Place) -> Launch:
        """Write what it needs into the place and say how to start it."""
        ...

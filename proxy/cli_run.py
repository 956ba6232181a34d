"""`tidegate run`, as service managers start it: without the libraries of the command line.

A command line that is written in another way than this, or wrongly, goes to typer, which
knows all ways and says what is wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from proxy.settings.apart import Apart, Reading

LOOPS = ("uvloop", "asyncio")
_OPTIONS = {"--config": "config", "-c": "config", "--loop": "loop"}


def asked(arguments: Sequence[str]) -> tuple[Path, str] | None:
    """(file, loop) of a plain `run --config FILE [--loop LOOP]`; None for anything else."""
    if len(arguments) not in (3, 5) or arguments[0] != "run":
        return None
    said: dict[str, str] = {}
    for name, value in zip(arguments[1::2], arguments[2::2], strict=True):
        option = _OPTIONS.get(name, "")
        if not option or option in said or not value or value.startswith("-"):
            return None
        said[option] = value
    loop = said.get("loop", LOOPS[0])
    return (Path(said["config"]), loop) if "config" in said and loop in LOOPS else None


def run(config: Path, loop: str) -> int:
    """Run the sidecar, the file being read beside the imports; returns the exit status."""
    apart = Apart(config)
    import_module("proxy.running")
    return serve(apart.reading(), loop)


def serve(reading: Reading, loop: str) -> int:
    """Say what there is to say of the file, and run what it sets up; returns the exit status."""
    from proxy.running import run_sidecar

    sys.stderr.write(reading.said)
    return 1 if reading.setup is None else run_sidecar(reading.setup, loop)

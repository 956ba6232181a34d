"""Makes C of modules and an extension of the C, in the current folder, beside the sources.

`python -m tools.c_build [--train-with PYTHON] MODULE...`: with a Python to train with, the C is
compiled twice: first so that it counts what it does, then, after `tools.train` has run it,
laid out by those counts. The translation to C is made once.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tools.c_compiler import COUNTING, PLAIN, SHAPED
from tools.source import ROOT

COUNTS = ".gcda"
"""How files with counts are named; they are below `build`, which is no part of the result."""


class BuildError(Exception):
    """No extension came of it; the text says why."""


def translated(modules: Sequence[str]) -> tuple[Any, list[Any]]:
    """The extension that has all the C, and those through which Python finds its modules."""
    from mypyc.build import mypycify

    made: list[Any] = mypycify(
        ["--config-file=pyproject.toml", *modules], opt_level="2", debug_level="0", multi_file=True
    )
    return made[0], made[1:]


def compiled(extensions: Sequence[Any], flags: Sequence[str], link: Sequence[str] = ()) -> None:
    """The extensions, anew and beside the sources, on all cores that this process may use."""
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    cores = len(os.sched_getaffinity(0))

    class OnAllCores(build_ext):  # type: ignore[misc]
        def build_extensions(self) -> None:
            one = self.compiler.compile

            def each(sources: list[str], **keywords: Any) -> list[str]:
                with ThreadPoolExecutor(cores) as pool:
                    made = pool.map(lambda source: one([source], **keywords), sources)
                    return [name for names in made for name in names]

            self.compiler.compile = each
            super().build_extensions()

    for extension in extensions:
        extension.extra_compile_args, extension.extra_link_args = [*flags], [*link]
    command = OnAllCores(Distribution({"ext_modules": list(extensions)}))
    command.inplace = command.force = True
    command.parallel = cores
    command.ensure_finalized()
    command.run()


def trained(python: str, folder: Path, modules: int) -> None:
    """Runs the package in `folder`, so that each of its modules leaves its counts.

    The training has bounds of its own. Raises BuildError.
    """
    command = [python, "-P", "-m", "tools.train", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(command, env=environment, check=False)
    except OSError as problem:
        raise BuildError(f"the training: {problem}") from problem
    if done.returncode != 0:
        raise BuildError(
            f"the training ended with status {done.returncode}, see above; it needs what "
            "requirements/run.lock has (--train-with PYTHON), and --no-profile leaves it out"
        )
    left = sum(1 for _ in (folder / "build").rglob(f"*{COUNTS}"))
    if left < modules:
        raise BuildError(f"the training left counts of {left} of {modules} modules")


def build(modules: Sequence[str], python: str | None) -> None:
    """All of it; `python` trains, and without it nothing is counted."""
    folder = Path.cwd()
    shared, entries = translated(modules)
    own = tuple(shared.extra_compile_args)
    compiled(entries, [*own, *PLAIN])
    if python is None:
        compiled([shared], [*own, *PLAIN])
        return
    compiled([shared], [*own, *COUNTING], ["-fprofile-generate"])
    trained(python, folder, len(modules))
    compiled([shared], [*own, *SHAPED])
    for made in folder.glob("*.so"):
        if COUNTS.encode() in made.read_bytes():
            raise BuildError(f"{made.name} still counts")


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; the exit status is 0 when the extension stands beside the sources."""
    parser = argparse.ArgumentParser(prog="python -m tools.c_build", description=__doc__)
    parser.add_argument("modules", nargs="+")
    parser.add_argument("--train-with", metavar="PYTHON")
    given = parser.parse_args(argv)
    try:
        build(given.modules, given.train_with)
    except BuildError as error:
        print(f"compile: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

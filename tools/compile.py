"""Compiles the rooms that every call passes through, with mypyc: `python -m tools.compile FOLDER`.

FOLDER gets a copy of `proxy` in which those modules are one C extension. The sources stay
what they are, and stay beside it: the compiled package is the same code, bound to its
annotations. What is compiled stands in pyproject.toml, `[tool.tidegate.compiled]`, with
the reason for each exception. Needs a C compiler and Python's headers.

With gcc the C is compiled twice: between, `tools.train` runs the package, and the second is laid
out by what that counted (docs/compiled.md). `--no-profile` leaves that out, for half of the time.
"""

from __future__ import annotations

import argparse
import compileall
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from tools import c_compiler
from tools.compilable import checked
from tools.native_init import with_native_inits
from tools.source import ROOT

STAMP = "compiled-from.txt"
"""What the copy was compiled from, so that nothing is compiled twice."""
TOOLS = tuple(
    f"tools/{name}.py"
    for name in (
        "c_build", "c_compiler", "compilable", "compile", "native_init",
        "train", "train_calls", "train_house", "train_settings", "train_troubles",
    )
)  # fmt: skip
"""What makes it, beside pyproject.toml and mypyc."""
LOCK = "requirements/compile.lock"
_CARRIED = ("proxy", "config/partners", "pyproject.toml", "LICENSE", "README.md")


def fingerprint(root: Path, files: Sequence[str], compiler: str, *, profile: bool) -> str:
    """What the result depends on: every source, the settings, and what compiles it and how."""
    flags = [os.environ.get(name, "") for name in ("CFLAGS", "LDFLAGS")]
    made_by = "\0".join((sys.version, compiler, str(profile), *flags))
    digest = hashlib.sha256(made_by.encode())
    for file in (*files, "pyproject.toml", LOCK, *TOOLS):
        digest.update(file.encode() + b"\0" + (root / file).read_bytes() + b"\0")
    return digest.hexdigest()


def copied(root: Path, folder: Path) -> None:
    """A fresh copy of what the package is made of."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in _CARRIED:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)


def bytecode(package: Path) -> None:
    """Byte code beside each source, as an installation has it: else each start makes it anew
    where the folder or PYTHONDONTWRITEBYTECODE forbids to write it.
    """
    if not compileall.compile_dir(package, quiet=2, workers=0):
        raise ValueError(f"{package}: not all of it is Python")


def headers() -> bool:
    """Whether this Python can be compiled against; a distribution's has its headers apart."""
    return (Path(sysconfig.get_path("include")) / "Python.h").is_file()


def trainer(python: str) -> str:
    """The Python that trains, if it is the same as this one. Raises ValueError."""
    ask = [python, "-P", "-c", "import sys; print(sys.version)"]
    try:
        said = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as problem:
        raise ValueError(f"--train-with {python}: {problem}") from problem
    if said != sys.version:
        raise ValueError(f"--train-with {python}: is {said}, and what compiles is {sys.version}")
    return python


def compiled(root: Path, folder: Path, python: str | None) -> bool:
    """Bring `folder` up to date; False when it was. Raises CalledProcessError.

    `python` is what trains; None where nothing shall be trained.
    """
    files = sorted(file.relative_to(root).as_posix() for file in (root / "proxy").rglob("*.py"))
    sources = checked(root, files)
    compiler = c_compiler.command()
    told = c_compiler.version(compiler)
    unfit = c_compiler.unfit(compiler, told) if python else None
    python = None if unfit else python
    wanted, stamp = fingerprint(root, files, told, profile=python is not None), folder / STAMP
    if stamp.is_file() and stamp.read_text(encoding="ascii") == wanted:
        return False
    if not headers():
        raise ValueError(
            "Python's headers are not here; on Debian: apt-get install python3-dev, or give a "
            "Python that has them: make clean compiled PYTHON=..."
        )
    if unfit:
        print(f"compiling without a profile: {unfit}", flush=True)
    copied(root, folder)
    for source in sources:
        (folder / source.path).write_text(with_native_inits(source.text), encoding="utf-8")
    print(f"compiling {len(sources)} of {len(files)} modules; this takes minutes", flush=True)
    try:
        built(root, folder, [source.path for source in sources], python)
    except BaseException:
        # what is there now may be half of it, or count what it does
        shutil.rmtree(folder)
        raise
    stamp.write_text(wanted, encoding="ascii")
    return True


def built(root: Path, folder: Path, modules: Sequence[str], python: str | None) -> None:
    """The extension and the byte code in `folder`, and nothing else of what that took."""
    train = ["--train-with", python] if python else []
    command = [sys.executable, "-m", "tools.c_build", *train, "--", *modules]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run(command, cwd=folder, env=environment, check=True)
    shutil.rmtree(folder / "build", ignore_errors=True)
    bytecode(folder / "proxy")


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; the exit status is 0 when the folder holds the compiled package."""
    parser = argparse.ArgumentParser(prog="python -m tools.compile", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--no-profile", action="store_true", help="half of the time; not as quick")
    parser.add_argument(
        "--train-with", metavar="PYTHON", default=sys.executable,
        help="one with requirements/run.lock, where this one has it not",
    )  # fmt: skip
    given = parser.parse_args(argv)
    try:
        python = None if given.no_profile else trainer(given.train_with)
        compiled(ROOT, given.folder.resolve(), python)
    except subprocess.CalledProcessError as error:
        print(f"compile: ended with status {error.returncode}; see above", file=sys.stderr)
        return 1
    except (ValueError, c_compiler.CompilerError) as error:
        print(f"compile: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

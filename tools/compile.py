"""Compiles the rooms that every call passes through, with mypyc: `python -m tools.compile FOLDER`.

FOLDER gets a copy of `proxy` in which those modules are one C extension. The sources stay
what they are, and stay beside it: the compiled package is the same code, bound to its
annotations. What is compiled stands in pyproject.toml, `[tool.tidegate.compiled]`, with
the reason for each exception. Needs a C compiler and Python's headers.

mypyc trusts what mypy believes, and raises TypeError where that is not so. The one belief
that is easily wrong: an attribute that was found to be None is taken to be None still
after a method was called. Such code has to read the attribute into a local name anew.

One construct is compiled wrongly, so no compiled module may have it: a call inside the
bounds of a slice can run twice (`view[os.write(fd, view) :]` writes twice).
"""

from __future__ import annotations

import argparse
import ast
import compileall
import fnmatch
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tools.native_init import with_native_inits
from tools.source import ROOT, Source, settings

STAMP = "compiled-from.txt"
"""What the copy was compiled from, so that nothing is compiled twice."""
_TOOLS = ("pyproject.toml", "tools/compile.py", "tools/native_init.py")
_CARRIED = ("proxy", "config/partners", "pyproject.toml", "LICENSE", "README.md")


def chosen(files: Sequence[str], rules: Mapping[str, Any]) -> list[str]:
    """Of `files`, those that are to be compiled: in one of the `rooms`, and not in `except`.

    Raises ValueError for a rule that nothing meets: it is outdated.
    """
    rooms, exceptions = rules["rooms"], rules.get("except", {})
    for rule in (*rooms, *exceptions):
        if not any(fnmatch.fnmatch(file, rule) for file in files):
            raise ValueError(f"[tool.tidegate.compiled] {rule}: there is no such file any more")
    return [
        file
        for file in files
        if any(fnmatch.fnmatch(file, room) for room in rooms)
        and not file.endswith("__init__.py")
        and not any(fnmatch.fnmatch(file, rule) for rule in exceptions)
    ]


def miscompiled(source: Source) -> list[str]:
    """Each place where a slice's bound does something, as a sentence."""
    return [
        f"{source.path}:{node.lineno}: a call in the bounds of a slice may run twice when it is "
        "compiled; give its result a name first"
        for node in ast.walk(source.tree())
        if isinstance(node, ast.Slice)
        and any(isinstance(each, ast.Await | ast.Call | ast.NamedExpr) for each in ast.walk(node))
        and not _harmless(node)
    ]


def _harmless(node: ast.Slice) -> bool:
    """Whether every call in it only measures."""
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
    only_calls = not any(isinstance(each, ast.Await | ast.NamedExpr) for each in ast.walk(node))
    return only_calls and all(
        isinstance(each.func, ast.Name) and each.func.id in ("len", "max", "min") for each in calls
    )


def fingerprint(root: Path, files: Sequence[str]) -> str:
    """What the result depends on: every source, the settings, and the interpreter."""
    digest = hashlib.sha256(sys.version.encode())
    for file in (*files, *_TOOLS):
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


def build(modules: Sequence[str]) -> None:
    """Compile in the current folder, beside the sources; one C file each, on all cores."""
    from mypyc.build import mypycify
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    class OnAllCores(build_ext):  # type: ignore[misc]
        def build_extensions(self) -> None:
            one = self.compiler.compile

            def each(sources: list[str], **keywords: Any) -> list[str]:
                with ThreadPoolExecutor(os.cpu_count()) as pool:
                    made = pool.map(lambda source: one([source], **keywords), sources)
                    return [name for names in made for name in names]

            self.compiler.compile = each
            super().build_extensions()

    extensions = mypycify(
        ["--config-file=pyproject.toml", *modules], opt_level="2", debug_level="0", multi_file=True
    )
    command = OnAllCores(Distribution({"ext_modules": extensions}))
    command.inplace = True
    command.ensure_finalized()
    command.run()


def bytecode(package: Path) -> None:
    """Byte code beside each source, as an installation has it: else each start makes it anew
    where the folder or PYTHONDONTWRITEBYTECODE forbids to write it.
    """
    if not compileall.compile_dir(package, quiet=2, workers=0):
        raise ValueError(f"{package}: not all of it is Python")


def headers() -> bool:
    """Whether this Python can be compiled against; a distribution's has its headers apart."""
    return (Path(sysconfig.get_path("include")) / "Python.h").is_file()


def compiled(root: Path, folder: Path) -> bool:
    """Bring `folder` up to date; False when it was. Raises CalledProcessError."""
    files = sorted(file.relative_to(root).as_posix() for file in (root / "proxy").rglob("*.py"))
    modules = chosen(files, settings(root, "compiled"))
    sources = [Source(name, (root / name).read_text(encoding="utf-8")) for name in modules]
    if doubts := [sentence for source in sources for sentence in miscompiled(source)]:
        raise ValueError("\n".join(doubts))
    wanted, stamp = fingerprint(root, files), folder / STAMP
    if stamp.is_file() and stamp.read_text(encoding="ascii") == wanted:
        return False
    if not headers():
        raise ValueError(
            "Python's headers are not here; on Debian: apt-get install python3-dev, or give a "
            "Python that has them: make clean compiled PYTHON=..."
        )
    copied(root, folder)
    for source in sources:
        (folder / source.path).write_text(with_native_inits(source.text), encoding="utf-8")
    print(f"compiling {len(modules)} of {len(files)} modules; this takes minutes", flush=True)
    command = [
        sys.executable,
        "-c",
        "import sys; from tools.compile import build; build(sys.argv[1:])",
    ]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run([*command, *modules], cwd=folder, env=environment, check=True)
    shutil.rmtree(folder / "build", ignore_errors=True)
    bytecode(folder / "proxy")
    stamp.write_text(wanted, encoding="ascii")
    return True


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; the exit status is 0 when the folder holds the compiled package."""
    parser = argparse.ArgumentParser(prog="python -m tools.compile", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(argv).folder.resolve()
    try:
        compiled(ROOT, folder)
    except subprocess.CalledProcessError as error:
        print(f"compile: ended with status {error.returncode}; see above", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"compile: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

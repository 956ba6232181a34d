"""The C compiler that this Python names: who it is, and whether it can shape code by a profile.

Only gcc is asked for that: clang's profiles have another form. Whether it has all that
is needed (its libgcov, its options) is tried on one line of C, not read from a version.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

PLAIN = ("-fvisibility=hidden",)
"""For every build: calls between modules need no table; Python finds `PyInit_*` all the same."""
COUNTING = (*PLAIN, "-fprofile-generate", "-fprofile-update=atomic")
"""For code that counts what it does, and writes that beside its objects when it ends."""
SHAPED = (*PLAIN, "-fprofile-use", "-fprofile-partial-training", "-Wno-missing-profile")
"""For code that is laid out by those counts. What the training did not run is optimised as ever,
and not for size: no training has it all.
"""
_TRIAL_S = 60.0
_GNU = "Free Software Foundation"


class CompilerError(Exception):
    """There is no compiler that answers; the text says what to do."""


def command() -> list[str]:
    """As setuptools calls it: what the environment names, else what this Python was built with."""
    return shlex.split(os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc"))


def version(compiler: Sequence[str]) -> str:
    """What it says of itself. Raises CompilerError when it cannot be run."""
    said = _run([*compiler, "--version"])
    if said is None or said.returncode != 0:
        raise CompilerError(
            f"the C compiler {shlex.join(compiler)} cannot be run; on Debian: apt-get install gcc "
            "libc6-dev, or name another: CC=..."
        )
    return said.stdout


def unfit(compiler: Sequence[str], told: str) -> str | None:
    """Why it cannot shape code by a profile, None when it can; `told` is its `version`."""
    if _GNU not in told:
        return f"{shlex.join(compiler)} is not gcc"
    with tempfile.TemporaryDirectory(prefix="tidegate-trial-") as name:
        folder = Path(name)
        (folder / "one.c").write_text("int one(void) { return 1; }\n", encoding="ascii")
        shared = [*compiler, "-O2", "-Werror", "-fPIC", "-shared", "-o", "one.so", "one.c"]
        for flags in (COUNTING, SHAPED):
            tried = _run([*shared, *flags], folder)
            if tried is None or tried.returncode != 0:
                return f"{shlex.join(compiler)} does not take {flags[len(PLAIN)]}"
    return None


def _run(
    words: Sequence[str], folder: Path | None = None
) -> subprocess.CompletedProcess[str] | None:
    """What came of a command; None when there is no such program, or it does not end."""
    try:
        return subprocess.run(
            words, cwd=folder, capture_output=True, text=True, timeout=_TRIAL_S, check=False,
            stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None

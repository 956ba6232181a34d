"""What `make browser` and `make promcheck` need of Debian: found, or installed where it can be.

`python -m tools.needed CHECK` ends with 0 when the programs are there, installing them as
root if need be, and with 77 when they cannot be had here, which is no failure of the check
and has to be told apart from one. Nothing is asked, and nothing waits longer than `INSTALL_S`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

EXIT_MISSING = 77
"""By the custom of test harnesses: it could not be run here."""
INSTALL_S = 240.0
"""Of each command; Chromium and what it needs are 130 MB."""
_APT = ("apt-get", "--quiet=2", "--option=DPkg::Lock::Timeout=120", "--option=Acquire::Retries=3")


@dataclass(frozen=True, slots=True)
class Needs:
    """Programs, each under any of its names, and the packages that bring them."""

    programs: Sequence[Sequence[str]]
    packages: Sequence[str]

    def missing(self, which: Callable[[str], str | None]) -> list[str]:
        """Programs that are not there under any name, each by its first."""
        return [names[0] for names in self.programs if not any(map(which, names))]


NEEDS: Mapping[str, Needs] = {
    "browser": Needs([("chromium", "chromium-browser")], ["chromium", "fonts-dejavu-core"]),
    "promcheck": Needs([("prometheus",), ("promtool",)], ["prometheus"]),
}


class MissingError(Exception):
    """A program is not here and cannot be brought; the text says what to do."""


def run(command: Sequence[str]) -> str | None:
    """What went wrong, None if nothing did."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, env=environment, timeout=INSTALL_S, check=False, capture_output=True,
            text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"took more than {INSTALL_S:g} s"
    return (done.stderr or done.stdout).strip()[-500:] or "it failed" if done.returncode else None


def ensure(
    needs: Needs,
    *,
    which: Callable[[str], str | None] = shutil.which,
    root: Callable[[], bool] = lambda: os.geteuid() == 0,
    do: Callable[[Sequence[str]], str | None] = run,
) -> None:
    """Make sure that the programs are there. Raises MissingError."""
    missing = needs.missing(which)
    if not missing:
        return
    words, packages = " and ".join(missing), " ".join(needs.packages)
    if not root() or which("apt-get") is None:
        raise MissingError(
            f"{words}: not here, and only root on Debian can install it: apt-get install {packages}"
        )
    install = (*_APT, "install", "--yes", "--no-install-recommends", *needs.packages)
    for command in ((*_APT, "update"), install):
        failed = do(command)
        if failed is not None:
            raise MissingError(f"{words}: not here, and {' '.join(command)} failed: {failed}")
    if needs.missing(which):
        raise MissingError(f"{words}: not here, and not in {packages} either")


def main(check: str) -> int:
    """0: all there; 77: not to be had, with the reason on standard error."""
    try:
        ensure(NEEDS[check])
    except MissingError as error:
        print(f"make {check} needs {error}", file=sys.stderr)
        return EXIT_MISSING
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""The lock check refuses what would tie an install to an address, or leave it open."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import lock_check
from tools.lock_check import PYTHON, agree, fit, pins, shape

HASH = f"--hash=sha256:{'0' * 64}"
LOCK = f"""\
#
{PYTHON}
# by the following command:
#
#    make lock
#
one-two==1.0 \\
    {HASH} \\
    {HASH}
    # via
    #   -c requirements/run.lock
    #   tidegate (pyproject.toml)
three==2.0 ; platform_system != "Windows" \\
    {HASH}
    # via tidegate (pyproject.toml::build-system.requires)

# The following packages are considered to be unsafe in a requirements file:
pip==26.3 \\
    {HASH}
"""


def test_a_lock_as_pip_compile_writes_it_is_whole() -> None:
    """Continuation lines, markers, constraints and comments are all understood."""
    assert shape("run.lock", LOCK) == []
    assert pins(LOCK) == {"one-two": "1.0", "three": "2.0", "pip": "26.3"}


@pytest.mark.parametrize(
    "line",
    [
        "--index" + "-url https://registry.example/simple",
        "--find-links wheels",
        "-f wheels",
        "-e .",
        f"one @ https://registry.example/one.whl {HASH}",
        "#    pip-compile --output-file=/home/me/run.lock",
        "    #   -r /home/me/pyproject.toml",
        "# file:wheels",
    ],
)
def test_addresses_options_and_paths_are_refused(line: str) -> None:
    """In requirements and in comments alike."""
    assert any("address" in problem for problem in shape("run.lock", f"{LOCK}{line}\n"))


def test_every_package_is_pinned_and_hashed() -> None:
    """A range and a pin without a hash are each a problem of their own."""
    ranged = shape("run.lock", f"{LOCK}four>=1 {HASH}\n")
    assert ranged == ["run.lock: not an exact pin: four>=1"]
    assert shape("run.lock", f"{LOCK}four==1\n") == ["run.lock: no hash for four"]


def test_a_lock_is_made_with_the_oldest_python() -> None:
    """A newer one would leave out packages that the oldest still needs."""
    (problem,) = shape("run.lock", LOCK.replace("Python 3.11", "Python 3.13"))
    assert "3.11" in problem


@pytest.mark.parametrize(
    ("requirement", "problems"),
    [
        ("one_two>=1,<2", 0),
        ("One.Two[extra]>=1", 0),
        ("one-two>=1.1", 1),
        ("absent", 1),
    ],
)
def test_a_lock_fits_what_pyproject_asks_for(requirement: str, problems: int) -> None:
    """Names are compared in their normal form; a forgotten `make lock` is found."""
    assert len(fit("run.lock", LOCK, [requirement])) == problems


def test_locks_that_are_installed_together_agree() -> None:
    """The same package at two versions would undo the lock installed first."""
    assert agree({"run.lock": LOCK, "dev.lock": LOCK}) == []
    (problem,) = agree({"run.lock": LOCK, "dev.lock": LOCK.replace("three==2.0", "three==2.1")})
    assert problem == "dev.lock: three 2.1, but 2.0 in run.lock"


def test_the_check_reads_a_repository(tmp_path: Path) -> None:
    """Each lock is held against its own part of pyproject.toml."""
    document = (
        '[build-system]\nrequires = ["one-two"]\n[project]\ndependencies = ["three"]\n'
        '[project.optional-dependencies]\ndev = ["pip"]\nbench = ["one-two"]\n'
        'browser = ["one-two"]\ncompile = ["three"]\n'
    )
    (tmp_path / "pyproject.toml").write_text(document)
    (tmp_path / "requirements").mkdir()
    for name in ("build", "run", "dev", "browser", "bench", "compile"):
        (tmp_path / "requirements" / f"{name}.lock").write_text(LOCK)
    assert lock_check.main(tmp_path) == 0
    (tmp_path / "requirements" / "dev.lock").write_text(LOCK.replace("pip==26.3", "pip>=26"))
    assert lock_check.main(tmp_path) == 1

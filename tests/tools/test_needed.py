"""`tools.needed`: what is missing is installed where it can be, or told by a code of its own."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tools import needed
from tools.needed import EXIT_MISSING, NEEDS, MissingError, Needs, ensure, main

SEEN = Needs([("seen", "seen-too"), ("other",)], ["package", "fonts"])


class Machine:
    """Programs that are there, and what installing does."""

    def __init__(
        self,
        *programs: str,
        root: bool = True,
        brings: Sequence[str] = (),
        fails: str | None = None,
    ) -> None:
        self._there = set(programs)
        self._root = root
        self._brings = brings
        self._fails = fails
        self.done: list[Sequence[str]] = []

    def which(self, program: str) -> str | None:
        """Where a program is."""
        return f"/usr/bin/{program}" if program in self._there else None

    def do(self, command: Sequence[str]) -> str | None:
        """Run a command."""
        self.done.append(command)
        if self._fails is None:
            self._there.update(self._brings)
        return self._fails

    def ensure(self) -> None:
        """What is tested."""
        ensure(SEEN, which=self.which, root=lambda: self._root, do=self.do)


def test_nothing_is_installed_where_all_is_there() -> None:
    """Whoever one is, and under any of a program's names."""
    for first in ("seen", "seen-too"):
        machine = Machine(first, "other", root=False)
        machine.ensure()
        assert machine.done == []


def test_root_on_debian_gets_the_packages() -> None:
    """The lists first; without questions."""
    machine = Machine("apt-get", "other", brings=["seen"])
    machine.ensure()
    update, install = machine.done
    assert (update[0], update[-1]) == ("apt-get", "update")
    assert {"install", "--yes", "package", "fonts"} <= set(install)


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (Machine("apt-get", root=False), "seen and other: not here, and only root on Debian"),
        (Machine(), "apt-get install package fonts"),
        (Machine("apt-get", "seen", fails="no network"), r"^other: not here, and .* no network$"),
        (Machine("apt-get", brings=["seen"]), "not in package fonts either"),
    ],
)
def test_what_cannot_be_had_is_told_with_its_reason(machine: Machine, words: str) -> None:
    """Not root, not Debian, an install that fails, a package without the program."""
    with pytest.raises(MissingError, match=words):
        machine.ensure()


def test_a_command_tells_how_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it said, that it said nothing, or that it took too long; and nothing when it did not."""
    assert needed.run(["true"]) is None
    assert needed.run(["false"]) == "it failed"
    assert needed.run(["sh", "-c", "echo full >&2; exit 100"]) == "full"
    monkeypatch.setattr(needed, "INSTALL_S", 0.05)
    assert needed.run(["sleep", "10"]) == "took more than 0.05 s"


@pytest.mark.parametrize("check", NEEDS)
def test_the_code_tells_what_is_missing_from_what_has_failed(
    check: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """77 and one plain line; 0 where it is there; a check that nobody knows is a mistake."""
    monkeypatch.setenv("PATH", "")
    assert (main(check), EXIT_MISSING) == (77, 77)
    said = capsys.readouterr().err
    assert said.startswith(f"make {check} needs ")
    assert said.count("\n") == 1
    monkeypatch.setattr(needed, "ensure", lambda needs: None)
    assert main(check) == 0
    with pytest.raises(KeyError):
        main("another")

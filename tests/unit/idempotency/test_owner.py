"""Rules for the name of a run, and for the proof of its death."""

from __future__ import annotations

import os
import subprocess

import pytest

from proxy.idempotency import owner
from proxy.idempotency.owner import is_dead, this_run

PARTS = this_run().split("/")


def named(**over: str) -> str:
    """This run's name with parts of it changed."""
    names = ("host", "boot", "namespace", "pid", "start")
    return "/".join(over.get(name, part) for name, part in zip(names, PARTS, strict=True))


def test_a_run_that_lives_is_not_dead() -> None:
    """This one."""
    assert not is_dead(this_run())
    assert PARTS[3] == str(os.getpid())


def test_a_number_that_another_process_has_is_proof() -> None:
    """It started at another time."""
    assert is_dead(named(start="1"))


def test_a_process_that_ended_is_dead_even_before_it_was_waited_for() -> None:
    """A zombie sends nothing any more."""
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert is_dead(named(pid=str(child.pid)))
    assert is_dead(named(pid=str(child.pid)))


@pytest.mark.parametrize(
    "over",
    [
        {"boot": "another", "start": "1"},
        {"namespace": "[1]", "start": "1"},
        {"boot": "", "start": "1"},
        {"namespace": "", "start": "1"},
        {"start": ""},
        {"pid": "x", "start": "1"},
    ],
)
def test_elsewhere_nothing_is_proven(over: dict[str, str]) -> None:
    """Another boot, another namespace, a part that is not known."""
    assert not is_dead(named(**over))


@pytest.mark.parametrize("name", ["run-1", ""])
def test_a_name_of_another_kind_proves_nothing(name: str) -> None:
    """Whoever wrote it."""
    assert not is_dead(name)


def test_a_hidden_process_is_not_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """/proc may hide the processes of others; the kernel itself is asked."""
    monkeypatch.setattr(owner, "_started", lambda _: None)
    assert not is_dead(named(pid="1", start="1"))
    assert not is_dead(this_run())

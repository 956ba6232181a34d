"""The checker is checked: a journal with a mistake in it does not pass the machine."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.focused import MissedSidecarMachine, SlowJournalMachine
from tests.simulation.judge import Broken
from tests.simulation.machine import JournalMachine, OwnKeysMachine
from tests.simulation.mutants import MUTANTS

HISTORIES_MAX = 2000
"""The same ones in every run; with any seed most mutants are found within a tenth of them."""

FOCUSED = {
    "lease_ignored": MissedSidecarMachine, "pin_ignored": OwnKeysMachine,
    "sent_before_the_fence_is_durable": SlowJournalMachine, "token_ignored": OwnKeysMachine,
    "window_ignored": OwnKeysMachine,
}  # fmt: skip
"""Mistakes that only some histories can show, or few of all."""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name: str) -> None:
    """By a broken rule, within so many histories."""
    mutation, rule = MUTANTS[name]
    machine = FOCUSED.get(name, JournalMachine)
    bounded = settings(
        max_examples=HISTORIES_MAX, stateful_step_count=40, derandomize=True,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck), print_blob=False,
    )  # fmt: skip
    with mutation(), pytest.raises(Broken, match=f"{rule}|bugs"):
        run_state_machine_as_test(machine, settings=bounded)

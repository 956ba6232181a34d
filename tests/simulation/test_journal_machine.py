"""The journal's layers against generated histories, on virtual time.

A failure prints its steps and a blob; the same history again:

    pytest tests/simulation/test_journal_machine.py -n 0 --hypothesis-seed=SEED

with the seed that the failing run printed, or the printed `@reproduce_failure(...)`
above `TestJournal` below. A longer run: `SIMULATIONS=20000` in the environment.
"""

from __future__ import annotations

import os

from hypothesis import settings

from tests.simulation.machine import JournalMachine

SIMULATIONS = int(os.environ.get("SIMULATIONS", "200"))

TestJournal = JournalMachine.TestCase
TestJournal.settings = settings(max_examples=SIMULATIONS, stateful_step_count=40)

"""The circuit against generated histories, on virtual time; see test_journal_machine.py.

`CIRCUIT_SIMULATIONS=100000` in the environment for a longer run. The long walk
beside it has no shrinking and so many more steps in one life.
"""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import settings

from proxy.guard.circuit import Circuit
from proxy.guard.permit import Permit, State
from proxy.guard.policy import Checks, Policy
from proxy.guard.verdicts import Verdict
from tests.simulation.circuit_machine import CircuitMachine

SIMULATIONS = int(os.environ.get("CIRCUIT_SIMULATIONS", "60"))
STEPS = 100_000

TestCircuit = CircuitMachine.TestCase
TestCircuit.settings = settings(max_examples=SIMULATIONS, stateful_step_count=50)


@pytest.mark.parametrize("checks", list(Checks))
def test_a_hundred_thousand_steps_leak_no_permit(checks: Checks) -> None:
    """One life with every state in it: calls end, hang and are cancelled, in any order, checks too.

    In the end nothing is out, as many probes fit as in the beginning, and the partner is back.
    """
    rng, policy = random.Random(5), Policy(checks=checks)
    circuit = Circuit(policy, random.Random(6), 0.0)
    now, out, seen, ill = 0.0, list[Permit](), set[State](), False
    for step in range(STEPS):
        now += rng.expovariate(5.0)
        ill = rng.random() < 0.5 if step % 500 == 0 else ill
        asked = circuit.admit(now) if rng.random() < 0.9 else circuit.admit_anyway(now)
        if isinstance(asked, Permit):
            out.append(asked)
        while len(out) > rng.randrange(12):
            verdict = Verdict.FAILURE if ill and rng.random() < 0.7 else rng.choice(list(Verdict))
            out.pop(rng.randrange(len(out))).end(verdict, rng.random(), now)
        if rng.random() < 0.2:
            circuit.checked("refused" if ill and rng.random() < 0.7 else None, now)
        if step % 20 == 0:
            probes = sum(each.probe for each in out)
            assert circuit.standing(now).probes <= min(probes, policy.probes_max)
        seen.add(circuit.state)
    assert seen == set(State) - {State.ISOLATED}
    for permit in out:
        permit.end(Verdict.NOTHING, 0.0, now)
    for _ in range(100):
        now += 2.0 * policy.open_max_s
        last = circuit.admit(now)
        assert isinstance(last, Permit)
        last.end(Verdict.SUCCESS, 0.1, now)
    assert circuit.state is State.CLOSED
    assert circuit.standing(now).probes == 0

"""The breakers of schemes beside the broad one, on virtual time; see test_circuit_machine.py.

`FAMILY_SIMULATIONS=100000` in the environment for a longer run.
"""

from __future__ import annotations

import os
import random

from hypothesis import settings

from proxy.guard.permit import Permit
from proxy.guard.verdicts import Verdict
from tests.simulation.family_machine import FamilyMachine
from tests.unit.guard.sliced import CURRENCY, SCHEME, A, Sliced, of, sliced

SIMULATIONS = int(os.environ.get("FAMILY_SIMULATIONS", "60"))
STEPS = 50_000

TestFamily = FamilyMachine.TestCase
TestFamily.settings = settings(max_examples=SIMULATIONS, stateful_step_count=50, deadline=None)


def test_fifty_thousand_steps_leak_no_permit() -> None:
    """One life in which now one scheme is ill, now all are, and now none."""
    rng = random.Random(7)
    house = Sliced(sliced(A, dimensions=(SCHEME, CURRENCY)))
    out, ill, seen = list[Permit](), frozenset[str](), set[tuple[str, str]]()
    schemes = ("visa", "mastercard", "amex")
    for step in range(STEPS):
        house.clock.advance(rng.expovariate(10.0))
        if step % 500 == 0:
            ill = frozenset(rng.choice([(), schemes, ("visa",), ("visa", "amex")]))
        values = (rng.choice(schemes), rng.choice(("eur", "usd")))
        now = house.clock.now()
        forced = rng.random() < 0.1
        asked = (
            house.at.admit_anyway(of(house.taken, *values), now) if forced else house.ask(*values)
        )
        if isinstance(asked, Permit):
            bad = values[0] in ill and rng.random() < 0.8
            said = Verdict.FAILURE if bad else Verdict.SUCCESS
            if rng.random() < 0.1:
                out.append(asked)
            else:
                asked.end(said, 0.1, now)
        while len(out) > rng.randrange(12):
            out.pop(rng.randrange(len(out))).end(rng.choice(list(Verdict)), rng.random(), now)
        if step % 20 == 0:
            house.made.tick()
    seen = {(each.part, each.state) for each in house.told}
    assert {("", "open"), ("scheme=visa", "open"), ("scheme=visa", "half-open")} <= seen
    for permit in out:
        permit.end(Verdict.NOTHING, 0.0, house.clock.now())
    for _ in range(300):
        house.clock.advance(60.0)
        for scheme in schemes:
            for _ in range(8):
                house.one(Verdict.SUCCESS, scheme, "eur")
                house.one(Verdict.SUCCESS, scheme, "usd")
    assert house.states() == {}
    for each in house.made.slices():
        assert each.circuit.standing(house.clock.now()).probes == 0

"""Which calls go out, and when: fixed before the first one leaves.

Open loop means that the schedule never looks at an answer. So it is built
whole, bodies and all, before the clock starts; chance comes from its own seed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call of the schedule; `offset_s` counts from the start of the run.

    `reference` names the payment and decides the partner's latency, so two
    arms that are compared use the same ones; `nonce` is this call's alone.
    """

    offset_s: float
    reference: str
    nonce: str
    scheme: str
    amount: int
    body: bytes
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Load:
    """A constant rate of new payments; `schemes` maps a card scheme to its weight."""

    rate_per_s: float
    duration_s: float
    seed: int
    prefix: str
    """Starts every reference, so that two loads of one run never share a payment."""
    schemes: Mapping[str, float]

    @property
    def count(self) -> int:
        """How many calls this load makes."""
        return round(self.rate_per_s * self.duration_s)


def plan(load: Load, arm: str) -> list[PlannedCall]:
    """The schedule of `load` in one arm: same references, schemes and amounts in every arm."""
    rng = random.Random(f"{load.seed}/{load.prefix}")
    names, weights = list(load.schemes), list(load.schemes.values())
    calls = []
    for index in range(load.count):
        [scheme] = rng.choices(names, weights)
        amount = 100 * rng.randrange(1, 500)  # whole units: other endings are declined
        calls.append(_call(index / load.rate_per_s, f"{load.prefix}-{index}", arm, scheme, amount))
    return calls


def _call(offset_s: float, reference: str, arm: str, scheme: str, amount: int) -> PlannedCall:
    nonce = f"{arm}.{reference}"
    payment = {
        "reference": reference,
        "merchantReference": reference,
        "amount": amount,
        "currency": "EUR",
        "card": {"scheme": scheme},
        "description": "x" * 100,
    }
    headers = (
        ("Content-Type", "application/json"),
        ("Sandbox-Nonce", nonce),
        ("Idempotency-Key", nonce),
    )
    return PlannedCall(
        offset_s, reference, nonce, scheme, amount, json.dumps(payment).encode(), headers
    )

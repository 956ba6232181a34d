"""Rules for affinity as plain values."""

from __future__ import annotations

from pathlib import Path

from proxy.model.affinity import NO_AFFINITY, Affinity, Follow, Otherwise, Remember, Source
from proxy.settings.build import build
from tests.unit.settings.example import changed, load_text

AT = "candidates: [north-a, north-b]"
WRITTEN = """candidates: [north-a, north-b, south-a]
    idempotency: {key: required, tenant: shop, tenant_header: X-Tenant}
    affinity:
      remember: {reference: /order, payment: /id}
      follow:
        group: steps
        reference: header:X-Order
        payment: path:/psp/c%61rds/{name}/x
        prefixes: {pi_: north, pi_eu_: south}
        otherwise: first
  - name: steps
    match: {path: /steps}
    idempotency: {key: required}
    candidates: [north-a]
    affinity: {remember: {group: steps, reference: /order, payment: /id}}"""


def test_all_of_it(tmp_path: Path) -> None:
    """The tenant is that of the route's keys; long beginnings come first."""
    text = changed((AT, WRITTEN), ("partners:\n", "journal: {path: j.db}\npartners:\n"))
    charges, steps, rest = build(load_text(tmp_path, text).settings).routes
    follow = Follow(
        "steps", Source(header=b"x-order"), Source(path=("psp", "cards", "", "x")),
        (("pi_eu_", "south"), ("pi_", "north")), Otherwise.FIRST,
    )  # fmt: skip
    assert charges.affinity == Affinity(
        "shop", b"x-tenant", Remember("payments", "/order", "/id"), follow
    )
    assert steps.affinity == Affinity(remember=Remember("steps", "/order", "/id"))
    assert rest.affinity is NO_AFFINITY

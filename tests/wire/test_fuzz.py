"""The short, seeded form of `make fuzz`: generated streams against the running process."""

from __future__ import annotations

from loadtests.fuzz.run import Plan, run

SEED = 20261120


def test_generated_requests_are_read_as_the_reference_reads_them(loop_name: str) -> None:
    """No crash, no 500, nothing changed on its way, nothing ambiguous forwarded or repeated."""
    result = run(Plan(seed=SEED, requests_max=3000, clients=1, loop=loop_name))
    assert result.violations == []
    assert result.requests >= 3000
    assert result.forwarded > 1500
    assert result.refused > 200

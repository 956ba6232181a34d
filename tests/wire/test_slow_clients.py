"""The short form of the slow clients, without the bars that a clock decides."""

from __future__ import annotations

from loadtests.wire.slow_clients import Plan, run


def test_slow_clients_are_closed_and_good_calls_flow(loop_name: str) -> None:
    """Each trickler ends by its deadline with 408 while every good call is answered."""
    plan = Plan(slow=100, pairs=1, calls=150, deadline_s=1.0, grace_s=3.0, loop=loop_name)
    figures = run(plan)
    assert figures.failures_of_kind(plan) == []
    assert figures.good == 300

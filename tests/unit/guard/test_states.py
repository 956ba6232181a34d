"""`proxy.guard.states`: what each change leaves behind, and what can be seen of it."""

from __future__ import annotations

import random

import pytest

from proxy.guard.evidence import Finding
from proxy.guard.permit import Isolation, Standing, State
from proxy.guard.policy import Policy
from proxy.guard.states import States
from proxy.guard.verdicts import Verdict

WORSE = Finding(State.DEGRADED, 0.3, 0.02, "9 of 30 calls failed")
DEAD = Finding(State.OPEN, 1.0, 0.02, "7 of 7 calls failed")
WELL = Finding(State.CLOSED, 0.0, 0.0, "the share is ordinary again")


@pytest.fixture
def told() -> list[Standing]:
    """What was told."""
    return []


@pytest.fixture
def states(told: list[Standing]) -> States:
    """Closed since 100.0."""
    return States(Policy(jitter=0.0), random.Random(1), 100.0, told.append)


def test_degraded_is_a_flag_within_a_generation(states: States, told: list[Standing]) -> None:
    """Calls in flight still count; closed and degraded are one era."""
    states.act(WORSE, 110.0)
    states.act(WELL, 120.0)
    assert [(each.state, each.since, each.generation) for each in told] == [
        (State.DEGRADED, 110.0, 0),
        (State.CLOSED, 120.0, 0),
    ]
    assert told[0].admitted_share == 1.0


def test_every_other_change_begins_a_generation(states: States, told: list[Standing]) -> None:
    """Probes out are forgotten with the old one."""
    states.act(DEAD, 110.0)
    states.half_open(115.0)
    states.probes = 2
    states.open("a probe ended as failure", 116.0)
    assert states.probes == 0
    states.half_open(126.0)
    states.close("3 successes in a row", 127.0)
    states.isolate(Isolation("maintenance", 200.0), 130.0)
    states.close("done early", 140.0)
    assert [each.generation for each in told] == [1, 2, 3, 4, 5, 6, 7]
    assert [each.state.value for each in told] == [
        "open", "half-open", "open", "half-open", "closed", "isolated", "closed",
    ]  # fmt: skip


def test_each_change_says_why(states: States, told: list[Standing]) -> None:
    """With the first cause, as long as it is not over."""
    states.act(DEAD, 110.0)
    states.half_open(115.0)
    states.open("2 probes hung", 145.0)
    states.half_open(155.0)
    states.close("3 successes in a row", 156.0)
    assert [each.why for each in told] == [
        "7 of 7 calls failed",
        "open for 5.0 s; 7 of 7 calls failed",
        "2 probes hung; 7 of 7 calls failed",
        "open for 10.0 s; 7 of 7 calls failed",
        "3 successes in a row",
    ]


def test_what_is_ordinary_is_learned_only_while_closed(states: States) -> None:
    """Not while degraded, open or half-open, nor what an operator made of it."""
    baseline = states.judge.window.baseline
    learning = [baseline.learning]
    states.act(WORSE, 110.0)
    learning.append(baseline.learning)
    states.act(DEAD, 111.0)
    learning.append(baseline.learning)
    states.half_open(116.0)
    learning.append(baseline.learning)
    states.close("3 successes in a row", 117.0)
    learning.append(baseline.learning)
    states.isolate(Isolation("maintenance", 200.0), 130.0)
    learning.append(baseline.learning)
    assert learning == [True, False, False, False, True, False]


def test_an_open_circuit_keeps_its_figures_and_a_closed_one_begins_anew(states: States) -> None:
    """Why it opened stays to be seen; it is not held against it later."""
    for second in range(100, 107):
        states.judge.window.note(Verdict.FAILURE, 0.1, float(second))
    states.act(DEAD, 107.0)
    figures = states.standing(107.0).figures
    assert (figures.calls, figures.failures, figures.share) == (7, 7, 1.0)
    assert 0.6 < figures.share_low < figures.share_high == 1.0
    states.close("by an operator", 110.0)
    assert states.standing(110.0).figures.calls == 0


def test_the_next_probe_is_told_while_open_alone(states: States) -> None:
    """When isolated, the expiry; else nothing."""
    assert states.standing(100.0).next_probe_at is None
    states.act(DEAD, 110.0)
    assert states.standing(110.0).next_probe_at == 115.0
    assert states.standing(110.0).admitted_share == 0.0
    states.isolate(Isolation("maintenance", 200.0), 130.0)
    assert states.standing(130.0).next_probe_at == 200.0


def test_the_jitter_spreads_open_times() -> None:
    """By chance that is handed in, within a quarter to each side."""
    waits = []
    for seed in range(200):
        states = States(Policy(), random.Random(seed), 0.0, None)
        states.act(DEAD, 0.0)
        waits.append(states.next_probe_at)
    assert 3.75 <= min(waits) < 3.9
    assert 6.1 < max(waits) <= 6.25

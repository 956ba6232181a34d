"""`proxy.guard.evidence`: what the window must hold for a slice to be called ill."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from proxy.guard.evidence import Finding, failing, in_a_row, ordinary_share, slow
from proxy.guard.permit import State
from proxy.guard.policy import Policy
from proxy.guard.verdicts import Verdict
from proxy.guard.window import Window

POLICY = Policy()
GOOD, FAILED, SLOW = Verdict.SUCCESS, Verdict.FAILURE, Verdict.SLOW
UNREACHABLE, SATURATED = Verdict.UNREACHABLE, Verdict.SATURATED


def _window(steps: Iterable[tuple[float, Verdict]]) -> Window:
    window = Window(0.0)
    for now, verdict in steps:
        window.note(verdict, 0.1, now)
    return window


def _every(
    interval_s: float, begin: float, count: int, *said: Verdict
) -> list[tuple[float, Verdict]]:
    """Calls at one distance; the verdicts come again and again in the order given."""
    return [(begin + index * interval_s, said[index % len(said)]) for index in range(count)]


def _to(found: Finding | None) -> State | None:
    return None if found is None else found.to


def test_a_partner_that_dies_is_found_before_its_good_minute_is_forgotten() -> None:
    """One call a second, sixty good ones, then only failures: seven of them."""
    good = _every(1.0, 0.0, 60, GOOD)
    assert _to(failing(_window(good + _every(1.0, 60.0, 5, FAILED)), POLICY)) is None
    found = failing(_window(good + _every(1.0, 60.0, 7, FAILED)), POLICY)
    assert _to(found) is State.OPEN
    assert found is not None
    assert found.why.startswith("7 of 7 calls failed in the last 7 s, a share of 51% to 100%")


def test_a_third_failing_is_degraded_and_not_open() -> None:
    """At five calls a second, within 15 s; what is shown is what was counted."""
    steps = _every(0.2, 0.0, 300, GOOD) + _every(0.2, 60.0, 75, FAILED, GOOD, GOOD)
    found = failing(_window(steps), POLICY)
    assert _to(found) is State.DEGRADED
    assert found is not None
    assert "calls failed in the last" in found.why
    assert found.ordinary == 0.02


@pytest.mark.parametrize("begin", [100.0, 100.3, 100.999])
@pytest.mark.parametrize("rate", [1, 2, 5, 20, 100])
@pytest.mark.parametrize("kind", [FAILED, UNREACHABLE])
def test_a_blip_of_two_seconds_is_not_acted_on(kind: Verdict, rate: int, begin: float) -> None:
    """Everything fails for 2 s, wherever it lies between whole seconds; then all is well."""
    window = Window(0.0)
    random_ = random.Random(7)
    for index in range(rate * 160):
        now = index / rate
        blip = begin <= now <= begin + 2.0
        alone = random_.random() < 0.005
        window.note(kind if blip or alone else GOOD, 0.1, now)
        if blip or alone:
            assert failing(window, POLICY) is None
            assert in_a_row(window, now, POLICY) is None


@pytest.mark.parametrize(
    ("kind", "count", "interval_s", "expected"),
    [
        (UNREACHABLE, 4, 1.0, None),
        (UNREACHABLE, 5, 1.0, State.OPEN),
        (UNREACHABLE, 50, 0.04, None),
        (UNREACHABLE, 52, 0.04, State.OPEN),
        (FAILED, 9, 300.0, None),
        (FAILED, 10, 300.0, State.OPEN),
    ],
)
def test_failures_in_a_row(
    kind: Verdict, count: int, interval_s: float, expected: State | None
) -> None:
    """Five connections, or ten of any kind however rare they are, over more than a blip's time."""
    steps = _every(interval_s, 10.0, count, kind)
    assert _to(in_a_row(_window(steps), steps[-1][0], POLICY)) is expected


def test_failures_in_a_row_are_told_in_words() -> None:
    """How many, of what kind, in which time."""
    found = in_a_row(_window(_every(1.0, 10.0, 5, UNREACHABLE)), 14.0, POLICY)
    assert found is not None
    assert found.why == "5 connection failures in a row in 4.0 s"


def test_saturation_degrades_and_only_near_all_of_it_opens() -> None:
    """Half refused under twice the load is a partner at work; all refused is none."""
    half = _window(_every(0.2, 0.0, 300, SATURATED, GOOD))
    assert _to(failing(half, POLICY)) is State.DEGRADED
    found = failing(_window(_every(0.2, 0.0, 300, SATURATED)), POLICY)
    assert _to(found) is State.OPEN
    assert found is not None
    assert "failed or met saturation" in found.why


def test_slow_calls_degrade_and_never_open() -> None:
    """Clearly more than a fifth of them; every fifth is not."""
    assert slow(_window(_every(0.2, 0.0, 300, SLOW, GOOD, GOOD, GOOD, GOOD)), POLICY, 2.5) is None
    found = slow(_window(_every(0.2, 0.0, 300, SLOW)), POLICY, 2.5)
    assert _to(found) is State.DEGRADED
    assert found is not None
    assert "took over 2.5 s" in found.why
    assert failing(_window(_every(0.2, 0.0, 300, SLOW)), POLICY) is None


@pytest.mark.parametrize(
    ("learned", "ordinary"), [(None, 0.02), (0.001, 0.02), (0.03, 0.06), (0.4, 0.2)]
)
def test_worse_means_worse_than_usual(learned: float | None, ordinary: float) -> None:
    """Twice the baseline, not under 2 %, where luck is, and not over 20 %, where habit is."""
    window = Window(0.0)
    window.baseline.share = learned
    assert ordinary_share(window, POLICY) == ordinary


def test_what_is_usual_here_is_no_finding() -> None:
    """A partner that always fails every tenth call is not degraded by it."""
    steps = _every(0.2, 0.0, 300, FAILED, *[GOOD] * 9)
    assert _to(failing(_window(steps), POLICY)) is State.DEGRADED
    window = _window(steps)
    window.baseline.share = 0.1
    assert failing(window, POLICY) is None

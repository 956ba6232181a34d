"""`proxy.health.watch`: when a check is due, and what a row of them means."""

from __future__ import annotations

import pytest

from proxy.health.watch import Watch, company, kind_of
from proxy.model.checking import CheckKind, CheckLimits, CheckResult
from tests.support.values import candidate, route, upstream

GOOD = CheckResult(True)
BAD = CheckResult(False, "connect", "refused", "partner")
OURS = CheckResult(None, "queue", "pool_full", "proxy")
LIMITS = CheckLimits()


def watching(limits: CheckLimits = LIMITS, kind: CheckKind | None = CheckKind.CONNECT) -> Watch:
    """A standby at 0, whose first check is due at 5."""
    return Watch(upstream(checks=limits), kind, True, 0.0, 1.0)


def run(watch: Watch, until: float, result: CheckResult, start: float = 0.0) -> list[float]:
    """Check whenever it is due, by steps of a quarter; when that was."""
    began = []
    for step in range(int(start * 4), int(until * 4)):
        now = step / 4
        if watch.due(now, False):
            began.append(now)
            watch.ended(result, now, 0.5)
    return began


def test_the_first_check_comes_soon_and_then_one_each_interval() -> None:
    """A standby that is dead from the start is known within the first minute."""
    assert run(watching(), 70.0, GOOD) == [5.0, 25.0, 45.0, 65.0]


def test_a_dead_upstream_is_failing_after_three_checks_in_quick_succession() -> None:
    """A fifth of the interval apart: 5, 9, 13 s; from then on at the interval again."""
    watch = watching()
    assert run(watch, 60.0, BAD) == [5.0, 9.0, 13.0, 33.0, 53.0]
    assert (watch.failing, watch.since) == (True, 13.0)


def test_one_failure_is_chance_and_one_pass_is_no_recovery() -> None:
    """`fall` in a row, and `rise` in a row; each change is told once."""
    watch = watching()
    row = (BAD, BAD, GOOD, BAD, BAD, BAD, BAD, GOOD, BAD, GOOD, GOOD, GOOD)
    said = [watch.ended(each, float(at), 0.5) for at, each in enumerate(row)]
    assert [(at, each) for at, each in enumerate(said) if each] == [(5, "failing"), (10, "passing")]


def test_what_is_ours_says_nothing_about_the_partner() -> None:
    """Neither for nor against it."""
    watch = watching()
    for at in range(10):
        assert not watch.ended(OURS, float(at), 0.5)
    assert (watch.failing, watch.proven_at, watch.counts["unclear"]) == (False, None, 10)


def test_an_answered_call_stands_for_a_check() -> None:
    """An upstream in use is not checked; where checks fail, calls do not stop them."""
    watch = watching()
    for second in range(100):
        watch.answered(float(second))
        assert not watch.due(second + 0.5, False)
    assert not watch.due(118.9, False)
    assert watch.due(119.5, False)
    run(watch, 160.0, BAD, start=119.5)
    watch.answered(160.0)
    assert watch.failing
    assert watch.due(175.0, False)


def test_a_breaker_that_waits_has_its_check_at_once_and_one_at_a_time() -> None:
    """Also where nothing is checked now and then; a second apart."""
    watch = watching(kind=None)
    assert not watch.due(1000.0, False)
    assert watch.due(1000.0, True)
    watch.running = True
    assert not watch.due(1000.0, True)
    watch.running = False
    watch.ended(OURS, 1000.0, 0.5)
    assert (watch.due(1000.5, True), watch.due(1001.0, True)) == (False, True)


def test_a_standby_is_unproven_after_its_time_and_proven_again_at_once() -> None:
    """From the start on, where nothing ever was; by a check or a call."""
    watch = watching()
    assert [watch.proof(at) for at in (300.0, 300.5, 400.0)] == ["", "unproven", ""]
    watch.ended(GOOD, 400.0, 0.5)
    assert (watch.proof(400.0), watch.proven_by) == ("proven", "check")
    watch.answered(600.0)
    assert (watch.proof(890.0), watch.quiet_s(890.0), watch.proven_by) == ("", 290.0, "call")
    assert watch.proof(901.0) == "unproven"


def test_a_first_candidate_is_no_standby() -> None:
    """It has the calls, and findings of its own."""
    watch = Watch(upstream(), CheckKind.CONNECT, False, 0.0, 0.0)
    assert watch.proof(10_000.0) == ""


@pytest.mark.parametrize(
    ("said", "companions", "done"),
    [
        (CheckKind.AUTO, True, CheckKind.CONNECT), (CheckKind.AUTO, False, None),
        (CheckKind.OFF, True, None), (CheckKind.REQUEST, False, CheckKind.REQUEST),
        (CheckKind.CONNECT, False, CheckKind.CONNECT),
    ],
)  # fmt: skip
def test_what_is_done_by_itself(said: CheckKind, companions: bool, done: CheckKind | None) -> None:
    """Auto connects where a route has another candidate: elsewhere, knowing changes nothing."""
    assert kind_of(upstream(checks=CheckLimits(said)), companions) is done


def test_company_is_what_routes_say() -> None:
    """Whoever shares a route, and whoever stands behind another on any of them."""
    a, b, c = candidate("a"), candidate("b"), candidate("c")
    shared, behind = company((route(a, b), route(b, name="x"), route(c, name="y")))
    assert (set(shared), set(behind)) == ({"a", "b"}, {"b"})

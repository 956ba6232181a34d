"""`proxy.health.checker` on virtual time: who is checked, who hears of it, and what is told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from proxy.health.checker import AT_ONCE_MAX, TICK_S, Checker
from proxy.model.checking import CheckKind, CheckLimits, CheckResult
from proxy.model.events import AttemptEnded, CheckChanged
from proxy.model.outcome import Answered, Execution, Origin, Outcome, Unsent
from proxy.model.phase import Phase
from proxy.model.route import Upstream
from tests.support.manual_clock import ManualClock
from tests.support.values import attempt, call, candidate, response, route

GOOD = CheckResult(True)
DEAD = CheckResult(False, "connect", "refused", "partner")


class House:
    """Routes `a, b`; `results` says what a check comes to, `GOOD` unless told."""

    def __init__(self, names: str = "ab", limits: CheckLimits | None = None) -> None:
        self.clock = ManualClock()
        self.results: dict[str, CheckResult | BaseException | float] = {}
        self.made: list[tuple[str, CheckKind]] = []
        self.told: list[CheckChanged] = []
        self.heard: list[tuple[str, str | None]] = []
        self.bugs: list[BaseException] = []
        self.suspects: set[str] = set()
        self.wanted: frozenset[str] = frozenset()
        candidates = [candidate(name) for name in names]
        upstreams = [each.upstream for each in candidates]
        if limits is not None:
            upstreams = [replace(each, checks=limits) for each in upstreams]
        self.checker = Checker(
            upstreams, (route(*candidates),), self._check, self, self.clock,
            self.told.append, self.bugs.append, random.Random(1),
        )  # fmt: skip

    async def _check(self, upstream: Upstream, kind: CheckKind) -> CheckResult:
        self.made.append((upstream.name, kind))
        result = self.results.get(upstream.name, GOOD)
        if isinstance(result, BaseException):
            raise result
        if isinstance(result, float):
            await asyncio.sleep(result)
            return GOOD
        return result

    def wanting(self) -> frozenset[str]:
        """What breakers want."""
        return self.wanted

    def checked(self, upstream: str, why_failed: str | None) -> None:
        """What they are told."""
        self.heard.append((upstream, why_failed))

    def suspect(self, upstream: str, failing: bool) -> None:
        """Who goes behind others."""
        (self.suspects.add if failing else self.suspects.discard)(upstream)

    async def runs(self, seconds: float) -> None:
        """Virtual time passes."""
        for _ in range(int(seconds / TICK_S)):
            self.checker.tick()
            for _ in range(3):
                await asyncio.sleep(0)
            self.clock.advance(TICK_S)

    def answers(self, outcome: Outcome) -> None:
        """An attempt ended so."""
        self.checker.attempt(AttemptEnded(call(), attempt(outcome=outcome)))

    def row(self, name: str) -> dict[str, object]:
        """Its row of the report."""
        [row] = [each for each in self.checker.report() if each["upstream"] == name]
        return row


def answered(name: str, status: int) -> Answered:
    """An answer of an upstream."""
    return Answered("acme", name, response(status), Execution.DONE)


async def test_a_dead_standby_is_found_within_a_minute_of_dying() -> None:
    """While the primary is well, without one call: told, a suspect, and a finding."""
    house = House()
    await house.runs(100.0)
    assert house.told == []
    house.results["b"] = DEAD
    died_at = house.clock.now()
    while not house.told:
        await house.runs(1.0)
    assert house.clock.now() - died_at <= 60.0
    [told] = house.told
    assert (told.upstream, told.change, told.reason) == ("b", "failing", "connect refused")
    assert house.suspects == {"b"}
    assert [each[:5] for each in house.checker.troubles()] == [
        ("acme", "b", "check connect", "refused", "partner")
    ]
    house.results["b"] = GOOD
    await house.runs(60.0)
    assert (house.told[-1].change, house.suspects) == ("passing", set())


async def test_a_standby_that_stays_dead_is_not_proven() -> None:
    """An alarm of its own, since when, and over at the first proof."""
    house = House()
    house.results["b"] = DEAD
    await house.runs(400.0)
    assert [each.change for each in house.told] == ["failing", "unproven"]
    assert "for 300 s" in house.told[-1].reason
    assert house.row("b")["unproven"] is True
    found = [each for each in house.checker.troubles() if each[3] == "not_proven"]
    assert [(each[1], each[2], each[5]) for each in found] == [("b", "standby", 1000.0)]
    house.answers(answered("b", 402))
    await house.runs(TICK_S)
    assert (house.told[-1].change, house.told[-1].reason) == ("proven", "by a call")


@pytest.mark.parametrize(
    ("outcome", "proves"),
    [
        (answered("b", 200), True), (answered("b", 402), True), (answered("b", 503), False),
        (Unsent("acme", "b", Phase.CONNECT, "refused", Origin.PARTNER), False),
        (answered("nobody", 200), False),
    ],
)  # fmt: skip
async def test_what_proves_a_standby(outcome: Outcome, proves: bool) -> None:
    """An answer, a decline as well; a server's error proves nothing."""
    house = House(limits=CheckLimits(CheckKind.OFF))
    house.answers(outcome)
    assert house.row("b")["proven_by"] == ("call" if proves else None)


async def test_a_breaker_that_wants_a_check_is_told_how_it_ended() -> None:
    """At once, whatever the interval says, also where nothing is checked by itself."""
    house = House("a")
    await house.runs(50.0)
    assert house.made == []
    house.wanted = frozenset("a")
    await house.runs(TICK_S)
    house.wanted = frozenset()
    assert house.made == [("a", CheckKind.CONNECT)]
    assert house.heard == [("a", None)]
    assert house.told == []


async def test_one_check_at_a_time_for_each_upstream_and_so_many_in_all() -> None:
    """One that hangs is not joined by another."""
    names = "abcdefghijklmnopqrstuvwxyz"
    house = House(names)
    house.results = dict.fromkeys(names, 30.0)
    for _ in range(200):
        house.checker.tick()
        house.clock.advance(TICK_S)
    await asyncio.sleep(0)
    assert len(house.made) == AT_ONCE_MAX
    assert len(set(house.made)) == AT_ONCE_MAX
    await _cancelled(house)


async def test_a_check_that_hangs_has_failed_after_its_timeout() -> None:
    """Its own, for it is a promise about how soon something is known."""
    house = House("ab", CheckLimits(interval_s=1.0, timeout_s=0.05, fall=1))
    house.results["b"] = 30.0
    await house.runs(1.5)
    await asyncio.sleep(0.4)
    assert [each.change for each in house.told] == ["failing"]
    assert house.told[0].reason == "timeout"


async def test_a_bug_of_ours_is_not_held_against_the_partner() -> None:
    """It is seen as what it is, and the upstream is checked again."""
    house = House()
    house.results["b"] = RuntimeError("ours")
    await house.runs(60.0)
    assert house.row("b")["last"] == "bug"
    assert house.row("b")["failing"] is False
    assert len(house.made) > 2
    assert {str(each) for each in house.bugs} == {"ours"}


async def test_the_report_is_a_document() -> None:
    """It can be written as JSON, also before anything was done."""
    house = House()
    report = house.checker.report()
    assert json.loads(json.dumps(report)) == report
    assert [(row["upstream"], row["kind"], row["standby"]) for row in report] == [
        ("a", "connect", False), ("b", "connect", True),
    ]  # fmt: skip


async def test_what_runs_is_over_with_the_drain() -> None:
    """Checks at work are cancelled with whoever began them."""
    house = House()
    house.results = dict.fromkeys("ab", 30.0)
    running = asyncio.ensure_future(house.checker.run(_a_turn(house.clock)))
    while len(house.made) < 2:
        await asyncio.sleep(0)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await asyncio.sleep(0)
    assert not house.checker._tasks


def _a_turn(clock: ManualClock) -> Callable[[float], Awaitable[None]]:
    async def sleep(seconds: float) -> None:
        clock.advance(seconds)
        await asyncio.sleep(0)

    return sleep


async def _cancelled(house: House) -> None:
    for task in list(house.checker._tasks):
        task.cancel()
    await asyncio.gather(*house.checker._tasks, return_exceptions=True)

"""What an operator says about where calls go, with every layer in its place."""

from __future__ import annotations

import json

import pytest

from proxy.model.call import Call
from proxy.model.outcome import Refused
from proxy.model.route import Candidate, Route
from proxy.model.standing import Kind, Override
from proxy.routing.overrides import Overrides
from tests.stack.stories import (
    BLACKHOLE,
    BUSY,
    OK,
    REFUSED,
    THRICE,
    next_step,
    said,
    two_candidates,
)
from tests.support.attempt_stack import AttemptStack
from tests.support.scripted import Step


class _Office:
    """A stack, and the operator who moves its calls."""

    def __init__(self, route: Route, **scripts: list[Step]) -> None:
        self._overrides: Overrides | None = None
        self.stack = AttemptStack(route, {"a": [], "b": [], **scripts}, choice=self._choice)
        names = dict.fromkeys("ab")
        self._overrides = Overrides([route], names, self.stack.clock, lambda _: None)
        self.then: tuple[Kind, str] | None = None
        """What the operator says as soon as the first attempt has begun."""

    def _choice(self, made: Call) -> tuple[Candidate, ...]:
        assert self._overrides is not None
        if made.attempts and self.then is not None:
            self.say(*self.then)
            self.then = None
        return self._overrides.candidates(made)

    def say(self, kind: Kind, upstream: str, lasts_s: float = 60.0) -> None:
        """An order that stands from now on."""
        assert self._overrides is not None
        now = self.stack.clock.now()
        at = "charges" if kind is Kind.FORCE else ""
        self._overrides.add(Override(kind, at, upstream, "r", "me", 0.0, lasts_s, now + lasts_s))

    def a_minute_passes(self) -> None:
        """And what is over ends."""
        assert self._overrides is not None
        self.stack.clock.advance(60.0)
        self._overrides.expire()


async def test_a_forced_route_has_one_candidate_and_no_way_out() -> None:
    """The operator does not want the others, also when the one that is wanted cannot be reached."""
    office = _Office(two_candidates(), b=[OK, REFUSED])
    office.say(Kind.FORCE, "b")
    assert said(await office.stack.ask()) == (201, "answered", "done", "b", "1")
    assert said(await office.stack.ask()) == (502, "unsent", "none", "b", "1")
    assert office.stack.sent_to == ["b"]


async def test_a_drained_upstream_is_no_way_out_either() -> None:
    """Attempts at the first are as many as ever."""
    office = _Office(two_candidates(attempts=THRICE), a=[BUSY, BUSY, BUSY])
    office.say(Kind.DRAIN, "b")
    assert said(await office.stack.ask()) == (429, "answered", "none", "a", "3")
    assert office.stack.sent_to == ["a", "a", "a"]


async def test_a_call_at_work_does_not_move_to_what_was_drained_meanwhile() -> None:
    """It ends with the truth about its first candidate."""
    office = _Office(two_candidates("ab"), a=[BLACKHOLE])
    office.then = (Kind.DRAIN, "b")
    assert said(await office.stack.ask()) == (504, "unsent", "none", "a", "1")
    assert office.stack.sent_to == []


@pytest.mark.parametrize("names", ["a", "ab"])
async def test_where_nothing_is_left_the_call_is_refused_with_a_reason(names: str) -> None:
    """Without an attempt, with execution none, and nothing is held for it afterwards."""
    office = _Office(two_candidates(names))
    for name in names:
        office.say(Kind.DRAIN, name)
    answer = await office.stack.ask()
    assert said(answer) == (503, "refused", "none", None, "0")
    problem = json.loads(answer.response.body)
    assert (problem["reason"], problem["origin"]) == ("no_candidate", "proxy")
    assert "operators have drained" in problem["detail"]
    assert "made again" in next_step(answer)
    (outcome,) = office.stack.outcomes
    assert isinstance(outcome, Refused)
    assert office.stack.admission.in_flight == 0


async def test_the_file_counts_again_when_the_time_is_over() -> None:
    """By itself."""
    office = _Office(two_candidates(), a=[OK])
    office.say(Kind.DRAIN, "a")
    office.say(Kind.DRAIN, "b")
    assert said(await office.stack.ask())[0] == 503
    office.a_minute_passes()
    assert said(await office.stack.ask()) == (201, "answered", "done", "a", "1")

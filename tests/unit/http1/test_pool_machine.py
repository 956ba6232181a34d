"""The pool as a whole, against every order of events that Hypothesis thinks of.

Rules act at any moment, also between two passes of the loop, where a call was
served and does not know it yet. Whatever happened: no place is lost or used
twice, nobody waits while there is room, and every answer is its own request's.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from proxy.http1.exchange import Result
from proxy.model.message import Failure, Response
from tests.unit.http1.fakes import FakeTransport, VirtualLoop
from tests.unit.http1.partner import Partner

pytestmark = pytest.mark.no_cover  # volume: see CONTRIBUTING.md

LIMITS = {"connections_max": 2, "idle_max": 1, "waiters_max": 3, "lingering_max": 1}
NOW = st.booleans()
"""Whether the loop comes to rest before the next rule acts."""


class PoolMachine(RuleBasedStateMachine):
    """Calls begin, end, and are cancelled; connections open, answer, and break."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.loop = VirtualLoop()
        self.tasks: dict[bytes, asyncio.Task[Result]] = {}
        self.begun = 0
        self.at_rest = True

    @initialize(prewarm=st.integers(0, 1))
    def begin_the_day(self, prewarm: int) -> None:
        partner = Partner(self.loop, prewarm=prewarm, **LIMITS)
        self.partner = self.stack.enter_context(partner.connecting())

    def rest(self, now: bool) -> None:
        """Let the loop run, or not yet."""
        if now:
            self.loop.settle()
        self.at_rest = now

    def open(self) -> list[FakeTransport]:
        """Every connection that stands."""
        return [each for each in self.partner.transports if each.is_open()]

    # -- what may happen -----------------------------------------------------------

    @rule(queue_s=st.sampled_from([0.0, 1.0, 50.0]), now=NOW)
    def begin(self, queue_s: float, now: bool) -> None:
        name = b"%d" % self.begun
        self.begun += 1
        self.tasks[name] = self.loop.create_task(self.partner.call(name, queue_s))
        self.rest(now)

    @precondition(lambda self: self.partner.opening)
    @rule(data=st.data(), how=st.sampled_from(["open", "open", "refused", "hung up"]), now=NOW)
    def connect(self, data: st.DataObject, how: str, now: bool) -> None:
        gate = data.draw(st.sampled_from(self.partner.opening))
        if not gate.done():
            gate.set_result(how)
        self.rest(now)

    @precondition(lambda self: self.partner.asked())
    @rule(data=st.data(), how=st.sampled_from(["clean", "clean", "stray", "close"]), now=NOW)
    def answer(self, data: st.DataObject, how: str, now: bool) -> None:
        self.partner.answer(data.draw(st.sampled_from(self.partner.asked())), how)
        self.rest(now)

    @precondition(lambda self: self.open())
    @rule(data=st.data(), how=st.sampled_from(["reset", "end", "byte", "unread"]), now=NOW)
    def go_wrong(self, data: st.DataObject, how: str, now: bool) -> None:
        transport = data.draw(st.sampled_from(self.open()))
        if how == "reset":
            transport.lose(ConnectionResetError())
        elif how == "end":
            transport.end()
        elif how == "byte" and not self.partner.unanswered(transport):
            transport.receive(b"x")
        elif how == "unread":
            transport.peer.send(b"x")
        self.rest(now)

    @precondition(lambda self: any(not task.done() for task in self.tasks.values()))
    @rule(data=st.data(), now=NOW)
    def cancel(self, data: st.DataObject, now: bool) -> None:
        running = [name for name, task in self.tasks.items() if not task.done()]
        self.tasks[data.draw(st.sampled_from(running))].cancel()
        self.rest(now)

    @rule(seconds=st.sampled_from([0.5, 1.0, 6.0, 10.0, 16.0]), now=NOW)
    def wait(self, seconds: float, now: bool) -> None:
        self.loop.instant += seconds
        self.rest(now)

    @rule(now=NOW)
    def tend(self, now: bool) -> None:
        self.partner.pool.tend()
        self.rest(now)

    @rule()
    def tick(self) -> None:
        self.loop.tick()
        self.at_rest = False

    # -- what must hold ------------------------------------------------------------------

    @invariant()
    def bounds_hold(self) -> None:
        """At every moment, even while a call does not know yet that it was served."""
        counts = self.partner.pool.counts()
        assert min(counts.values()) >= 0
        assert counts["idle"] + counts["busy"] + counts["opening"] <= LIMITS["connections_max"]
        assert counts["idle"] <= LIMITS["idle_max"]
        assert counts["lingering"] <= LIMITS["lingering_max"]
        assert counts["waiting"] <= LIMITS["waiters_max"]

    @invariant()
    def no_place_is_lost(self) -> None:
        """At rest, every place that is counted has somebody in it."""
        if not self.at_rest:
            return
        counts = self.partner.pool.counts()
        lingering = counts["lingering"]
        assert counts["opening"] == len(self.partner.opening)
        assert counts["busy"] == len(self.partner.asked()) - lingering
        assert counts["idle"] == len(self.open()) - len(self.partner.asked())
        held = counts["idle"] + counts["busy"] + counts["opening"]
        assert not counts["waiting"] or (held == LIMITS["connections_max"] and not counts["idle"])

    @invariant()
    def answers_are_their_own(self) -> None:
        """Whoever has an answer has that of its own request, and nothing escaped to the loop."""
        assert self.loop.errors == []
        for name, task in self.tasks.items():
            if task.done() and not task.cancelled():
                result = task.result()
                assert isinstance(result, Failure) or result.body == name

    def teardown(self) -> None:
        """Everything comes to its end, and then the pool is empty."""
        self.loop.settle()
        while self.partner.opening:
            self.partner.admit("refused")
            self.loop.settle()
        while self.partner.asked():
            self.partner.answer()
            self.loop.settle()
            while self.partner.opening:
                self.partner.admit()
                self.loop.settle()
        self.rest(now=True)
        self.no_place_is_lost()
        self.answers_are_their_own()
        assert all(task.done() for task in self.tasks.values())
        assert all(isinstance(late, Response | Failure) for late in self.partner.late)
        draining = self.loop.create_task(self.partner.pool.drain(0.0))
        self.loop.settle()
        assert draining.done()
        assert set(self.partner.pool.counts().values()) == {0}
        self.stack.close()
        self.loop.end()


TestPool = PoolMachine.TestCase
TestPool.settings = settings(max_examples=100, stateful_step_count=40)

"""Whatever partners and networks do, in any combination: what must hold of every call."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.model.message import Failure
from proxy.model.outcome import Answered, Execution
from proxy.model.phase import Phase
from proxy.model.route import Candidate, Money, Retry
from proxy.upstream.classify import execution_of
from tests.support.attempt_stack import Answer, AttemptStack
from tests.support.scripted import Step
from tests.support.values import candidate, request, response, route, rule

pytestmark = pytest.mark.no_cover  # volume: see CONTRIBUTING.md

UNSENT_PHASES = st.sampled_from([Phase.QUEUE, Phase.RESOLVE, Phase.CONNECT, Phase.TLS, Phase.SEND])
SENT_PHASES = st.sampled_from([Phase.SEND, Phase.FIRST_BYTE, Phase.BODY])
REASONS = st.sampled_from(["refused", "timeout", "reset", "closed", "malformed", "no_such_name"])
STATUSES = st.sampled_from([200, 201, 302, 402, 404, 408, 409, 425, 429, 500, 502, 503, 504])

MEETS = st.one_of(
    STATUSES.map(response),
    st.builds(Failure, UNSENT_PHASES, REASONS, st.just(False)),
    st.builds(Failure, SENT_PHASES, REASONS, st.just(True)),
    st.just(ZeroDivisionError()),
)
STEPS = st.builds(
    Step,
    MEETS,
    takes_s=st.sampled_from([0.0, 0.01, 0.5, 4.0, 100.0]),
    reused=st.booleans(),
    write_fails=st.booleans(),
)


@dataclass(frozen=True, slots=True)
class _World:
    """A call and all that meets it."""

    scripts: tuple[tuple[Step, ...], ...]
    moneys: tuple[Money, ...]
    method: bytes
    attempts_max: int
    deadline_s: float
    retries_min: int
    seed: int

    async def run(self) -> tuple[AttemptStack, Answer]:
        names = "abc"[: len(self.scripts)]
        at = [
            candidate(name, rule=rule(money))
            for name, money in zip(names, self.moneys, strict=False)
        ]
        retry = Retry(self.attempts_max, 0.05, 0.5)
        made = route(*at, retry=retry, deadline_s=self.deadline_s)
        scripts = dict(zip(names, self.scripts, strict=True))
        stack = AttemptStack(made, scripts, seed=self.seed, retries_min=self.retries_min)
        return stack, await stack.ask(request(self.method))


WORLDS = st.builds(
    _World,
    scripts=st.lists(
        st.lists(STEPS, min_size=4, max_size=4).map(tuple), min_size=1, max_size=3
    ).map(tuple),
    moneys=st.tuples(*[st.sampled_from(list(Money))] * 3),
    method=st.sampled_from([b"POST", b"GET"]),
    attempts_max=st.integers(1, 4),
    deadline_s=st.sampled_from([0.25, 3.0, 30.0]),
    retries_min=st.sampled_from([0, 1, 100]),
    seed=st.integers(0, 1000),
)


@settings(max_examples=400)
@given(WORLDS)
async def test_what_must_hold_of_every_call(world: _World) -> None:
    """NO-DUP, no lie, one answer, in time, everything told."""
    stack, answer = await world.run()
    _check_nothing_was_sent_twice(world, stack)
    _check_what_is_said_is_true(stack, answer)
    _check_it_ended_in_time(world, stack, answer)


def _check_nothing_was_sent_twice(world: _World, stack: AttemptStack) -> None:
    """After a send that may have executed nothing follows where money moves; nor after done."""
    proofs = _proofs(stack)
    for record, proof in proofs[:-1]:
        if proof is Execution.NONE:
            continue
        assert proof is Execution.UNKNOWN, "nothing follows a call that was executed"
        money = record.rule.money
        assert money is Money.NO or (money is Money.BY_METHOD and world.method == b"GET")
    assert len(stack.sent) == sum(bool(each.sent_at) for each in stack.attempts)
    for name in "abc":
        tried = [record.upstream.name for record, _ in proofs].count(name)
        assert tried <= world.attempts_max


def _check_what_is_said_is_true(stack: AttemptStack, answer: Answer) -> None:
    """The label is the strongest of what the attempts prove, seen from the wire's own ledger."""
    strength = {Execution.NONE: 0, Execution.UNKNOWN: 1, Execution.DONE: 2}
    proven = max((proof for _, proof in _proofs(stack)), key=strength.__getitem__)
    said = Execution(answer.labels["execution"])
    if said is not proven:
        bug = any(each.outcome is None for each in stack.attempts)
        assert bug, "only a bug may make us say less, and then it says unknown"
        assert said is Execution.UNKNOWN
    if not stack.sent:
        assert said is Execution.NONE
    assert answer.labels["attempts"] == str(len(stack.attempts))
    assert [outcome.execution for outcome in stack.outcomes] == [said]


def _check_it_ended_in_time(world: _World, stack: AttemptStack, answer: Answer) -> None:
    """No attempt begins after the deadline, none is waited for beyond it, no place is kept."""
    assert answer.took_s <= world.deadline_s + 1e-9
    assert stack.admission.in_flight == 0
    told = sum(each.outcome is not None for each in stack.attempts)
    assert stack.attempts_ended == told


def _proofs(stack: AttemptStack) -> list[tuple[Candidate, Execution]]:
    """What each attempt of the call proves, told from how far its bytes got and the status."""
    proofs = []
    for each in stack.attempts:
        proof = Execution.UNKNOWN if each.sent_at else Execution.NONE
        if isinstance(each.outcome, Answered):
            proof = execution_of(each.outcome.response.status, each.candidate.rule)
        proofs.append((each.candidate, proof))
    return proofs

"""What partners and networks do in the stories of the stack, and how a reply is read."""

from __future__ import annotations

import json

from proxy.model.message import Failure
from proxy.model.phase import Phase
from proxy.model.route import Money, Retry, Route
from tests.support.attempt_stack import Answer
from tests.support.scripted import Step
from tests.support.values import candidate, headers, response, route, rule

REFUSED = Step(Failure(Phase.CONNECT, "refused", sent=False))

BLACKHOLE = Step(Failure(Phase.CONNECT, "timeout", sent=False), takes_s=4.0)

RESET = Step(Failure(Phase.FIRST_BYTE, "reset", sent=True), takes_s=0.2)

HANGS = Step(Failure(Phase.FIRST_BYTE, "timeout", sent=True), takes_s=1e6)

STALE = Step(Failure(Phase.SEND, "closed", sent=False), reused=True)

OK = Step(response(201), takes_s=0.1)

BUSY = Step(response(429, headers(("Retry-After", "1"))), takes_s=0.1)

BROKEN = Step(response(500), takes_s=0.1)

THRICE = Retry(3, 0.05, 0.5)


def two_candidates(
    names: str = "ab",
    *,
    money: Money = Money.YES,
    attempts: Retry | None = None,
    deadline_s: float = 30.0,
) -> Route:
    """A route to these upstreams, `a` first."""
    at = [candidate(name, rule=rule(money)) for name in names]
    retry = attempts or Retry(1, 0.05, 0.5)
    return route(*at, retry=retry, deadline_s=deadline_s)


def said(answer: Answer) -> tuple[int, str, str, str | None, str]:
    """Status, outcome, execution, upstream and attempts, as the reply says."""
    labels = answer.labels
    return (
        answer.response.status,
        labels["outcome"],
        labels["execution"],
        labels.get("upstream"),
        labels["attempts"],
    )


def next_step(answer: Answer) -> str:
    """What a problem says that the application may do."""
    following = json.loads(answer.response.body)["next"]
    assert isinstance(following, str)
    return following

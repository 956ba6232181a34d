"""PURE. The money rule: whether a call may be tried again after an outcome.

    execution   the operation moves money     it does not
    none        yes                           yes
    done        no                            no
    unknown     never                         yes

Nothing else decides it: no status code, no exception class, no HTTP verb by
itself (GET and HEAD count as moving no money only where the operation leaves
that to the method, because there are gateways that charge on a GET).

The application's own repetition of a call in doubt, under its idempotency key, is
another matter: `ways_to` says where alone it may go.
"""

from __future__ import annotations

from proxy.model.outcome import Answered, Execution, Outcome
from proxy.model.route import Candidate, Money, OperationRule, Route

_SAFE_METHODS = frozenset((b"GET", b"HEAD"))


def moves_money(rule: OperationRule, method: bytes) -> bool:
    """Whether executing this call twice could cost somebody money."""
    if rule.money is Money.BY_METHOD:
        return method not in _SAFE_METHODS
    return rule.money is Money.YES


def may_try_again(outcome: Outcome, rule: OperationRule, method: bytes) -> bool:
    """The table above."""
    if outcome.execution is Execution.NONE:
        return True
    if outcome.execution is Execution.DONE:
        return False
    return not moves_money(rule, method)


def ways_to(sent_to: str, chosen: tuple[Candidate, ...], route: Route) -> tuple[Candidate, ...]:
    """Where alone a repetition of a call in doubt may go: to the endpoint that had it.

    That is the upstream itself, and those that are it by another way out (model/keyed.py).
    First the ones where a new call would go now, in that order, then the others: one
    that was drained settles what it has.
    """
    same = route.keyed.same_endpoint.get(sent_to, frozenset())
    ordered = {each.upstream.name: each for each in (*chosen, *route.candidates)}
    return tuple(each for name, each in ordered.items() if name in same)


def more_telling(earlier: Outcome, later: Outcome) -> Outcome:
    """Which of two outcomes of one call to report when there is nothing left to try.

    An answer that is done ends the matter. Otherwise an unknown must not be
    hidden behind a later "nothing was sent"; among equals an answer of the
    partner says more than a failure, and the later one more than the earlier.
    """
    return later if _weight(later) >= _weight(earlier) else earlier


def _weight(outcome: Outcome) -> int:
    if outcome.execution is Execution.DONE:
        return 4
    answered = isinstance(outcome, Answered)
    return (2 if outcome.execution is Execution.UNKNOWN else 0) + answered

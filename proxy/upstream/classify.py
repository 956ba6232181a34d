"""PURE. What an ending proves: from the transport's words to an outcome.

Statuses are looked up exactly first, then by class. Calls that move no money
use the same table; whether an unknown forbids another try is decided in
routing/eligibility.py and nowhere else.
"""

from __future__ import annotations

from proxy.model.egress import FORWARD_PROXY
from proxy.model.message import Failure, Response
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Unsent
from proxy.model.phase import Phase
from proxy.model.route import Candidate, OperationRule

_OWN_REASONS = frozenset(
    ("no_local_port", "no_descriptor", "no_source_address", "deadline", "paused", "draining")
)
_NETWORK_REASONS = frozenset(("unreachable", "timeout"))


def execution_of(status: int, rule: OperationRule) -> Execution:
    """What a complete answer with this status proves, by the operation's table."""
    statuses = rule.statuses
    exact = statuses.get(status)
    if exact is not None:
        return exact
    return statuses.get(status // 100, Execution.UNKNOWN)


def origin_of(failure: Failure) -> Origin:
    """Whose doing a failure is, as far as one attempt can tell.

    A deadline that passed while the partner had the request is the partner's:
    by default it comes no later than the timeout for the first byte.
    """
    own = failure.reason in _OWN_REASONS and not failure.sent
    if own or failure.phase is Phase.QUEUE:
        return Origin.PROXY
    if failure.reason.startswith("client_certificate"):
        return Origin.PROXY
    if failure.phase is Phase.RESOLVE:
        return Origin.DNS
    if failure.phase is Phase.CONNECT and (
        failure.reason in _NETWORK_REASONS or failure.reason.startswith(FORWARD_PROXY)
    ):
        return Origin.NETWORK
    return Origin.PARTNER


def classify(result: Response | Failure, candidate: Candidate) -> Outcome:
    """The outcome of one attempt."""
    upstream = candidate.upstream
    if isinstance(result, Response):
        return Answered(
            upstream.partner, upstream.name, result, execution_of(result.status, candidate.rule)
        )
    ending = InDoubt if result.sent else Unsent
    return ending(upstream.partner, upstream.name, result.phase, result.reason, origin_of(result))

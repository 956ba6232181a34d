"""Makes one check of an upstream, over the transport that its calls use.

`connect` takes its name's addresses, its TCP and its TLS, and closes the connection
right away: nothing is asked. `request` asks something that moves no money, with the
partner's credentials. What is ours (no room in the pool, no descriptor) says nothing
about the partner; our own client certificate does, since no call gets through with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from proxy.model.checking import CheckKind, CheckResult
from proxy.model.clock import Clock
from proxy.model.message import Failure
from proxy.model.outcome import Answered, InDoubt, Origin, Outcome, Unsent
from proxy.model.phase import Phase
from proxy.model.route import Upstream
from proxy.model.settling import Question
from proxy.upstream.classify import origin_of
from proxy.upstream.transport import Transport

Ask = Callable[[str, Question, float], Awaitable[Outcome]]
_JSON = (b"Content-Type", b"application/json")
_PASSED = CheckResult(True)
_UNCLEAR = frozenset(("no_local_port", "no_descriptor", "deadline", "paused", "bug"))


class Checking:
    """`ask` sends a question within so many seconds."""

    def __init__(self, transports: Mapping[str, Transport], ask: Ask, clock: Clock) -> None:
        self._transports = transports
        self._ask = ask
        self._clock = clock

    async def check(self, upstream: Upstream, kind: CheckKind) -> CheckResult:
        """One check, within the upstream's timeout for it."""
        if kind is CheckKind.REQUEST and upstream.checks.request is not None:
            return await self._request(upstream)
        deadline_at = self._clock.now() + upstream.checks.timeout_s
        failure = await self._transports[upstream.name].pool.check(deadline_at)
        return _PASSED if failure is None else _failed(failure)

    async def _request(self, upstream: Upstream) -> CheckResult:
        asked = upstream.checks.request
        assert asked is not None
        headers = (_JSON,) if asked.body else ()
        question = Question(asked.method, asked.target, asked.operation, headers, asked.body)
        outcome = await self._ask(upstream.name, question, upstream.checks.timeout_s)
        if isinstance(outcome, Answered):
            status = outcome.response.status
            if asked.passes(status):
                return _PASSED
            return CheckResult(False, "answer", f"status_{status}", Origin.PARTNER)
        if isinstance(outcome, Unsent | InDoubt):
            sent = isinstance(outcome, InDoubt)
            return _failed(Failure(outcome.phase, outcome.reason, sent=sent))
        return CheckResult(False, "check", outcome.reason, outcome.origin)


def _failed(failure: Failure) -> CheckResult:
    own = failure.phase is Phase.QUEUE or (failure.reason in _UNCLEAR and not failure.sent)
    return CheckResult(
        None if own else False, failure.phase.value, failure.reason, origin_of(failure)
    )

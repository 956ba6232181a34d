"""`proxy.upstream.check`: what one check comes to."""

from __future__ import annotations

import pytest

from proxy.model.checking import CheckKind, CheckLimits, CheckRequest, CheckResult
from proxy.model.message import Failure
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused, Unsent
from proxy.model.phase import Phase
from proxy.model.settling import Question
from proxy.upstream.check import Checking
from proxy.upstream.transport import Transport
from tests.support.manual_clock import START_S, ManualClock
from tests.support.values import response, upstream

ASKED = CheckRequest(b"POST", b"/up", "inquire", b"{}", frozenset((2, 404)))
REQUEST = upstream(checks=CheckLimits(CheckKind.REQUEST, timeout_s=3.0, request=ASKED))


class _Pool:
    """Opens a connection as it is told."""

    def __init__(self, failure: Failure | None) -> None:
        self.failure = failure
        self.deadline_at = 0.0

    async def check(self, deadline_at: float) -> Failure | None:
        """What it is told."""
        self.deadline_at = deadline_at
        return self.failure


async def _connect(failure: Failure | None) -> CheckResult:
    pool = _Pool(failure)
    transports = {"a": Transport(pool)}  # type: ignore[arg-type]
    checking = Checking(transports, _never, ManualClock())
    found = await checking.check(upstream(), CheckKind.CONNECT)
    assert pool.deadline_at == START_S + CheckLimits().timeout_s
    return found


async def _never(*_: object) -> Outcome:
    raise AssertionError


async def _ask(outcome: Outcome) -> CheckResult:
    asked: list[tuple[str, Question, float]] = []

    async def ask(name: str, question: Question, within_s: float) -> Outcome:
        asked.append((name, question, within_s))
        return outcome

    found = await Checking({}, ask, ManualClock()).check(REQUEST, CheckKind.REQUEST)
    [(name, question, within_s)] = asked
    assert (name, within_s, question.method, question.target) == ("a", 3.0, b"POST", b"/up")
    assert question.headers == ((b"Content-Type", b"application/json"),)
    return found


async def test_a_connection_that_stands_has_passed() -> None:
    """Nothing is asked over it."""
    assert (await _connect(None)).passed is True


@pytest.mark.parametrize(
    ("failure", "passed", "origin"),
    [
        (Failure(Phase.CONNECT, "refused", sent=False), False, Origin.PARTNER),
        (Failure(Phase.CONNECT, "timeout", sent=False), False, Origin.NETWORK),
        (Failure(Phase.RESOLVE, "nxdomain", sent=False), False, Origin.DNS),
        (Failure(Phase.TLS, "certificate_expired", sent=False), False, Origin.PARTNER),
        (Failure(Phase.TLS, "client_certificate_refused", sent=False), False, Origin.PROXY),
        (Failure(Phase.QUEUE, "pool_full", sent=False), None, Origin.PROXY),
        (Failure(Phase.CONNECT, "no_descriptor", sent=False), None, Origin.PROXY),
    ],
)
async def test_why_a_connection_failed_is_told(
    failure: Failure, passed: bool | None, origin: Origin
) -> None:
    """What is ours says nothing about the partner, but for a certificate that lets no call in."""
    found = await _connect(failure)
    assert (found.passed, found.origin) == (passed, origin)
    assert found.why == f"{failure.phase.value} {failure.reason}"


@pytest.mark.parametrize(("status", "passed"), [(204, True), (404, True), (400, False)])
async def test_an_answer_passes_by_its_status(status: int, passed: bool) -> None:
    """The one that was expected, not just any."""
    found = await _ask(Answered("acme", "a", response(status), Execution.DONE))
    assert found.passed is passed
    assert found.why == ("passed" if passed else "answer status_400")


@pytest.mark.parametrize(
    ("outcome", "why", "passed"),
    [
        (Unsent("acme", "a", Phase.CONNECT, "refused", Origin.PARTNER), "connect refused", False),
        (InDoubt("acme", "a", Phase.FIRST_BYTE, "deadline", Origin.PARTNER), "first_byte deadline",
         False),
        (Unsent("acme", "a", Phase.QUEUE, "pool_timeout", Origin.PROXY), "queue pool_timeout",
         None),
        (Refused("no_token", 503, "", Origin.PARTNER), "check no_token", False),
    ],
)  # fmt: skip
async def test_no_answer_within_its_time_has_failed(
    outcome: Outcome, why: str, passed: bool | None
) -> None:
    """Wherever it got stuck; without a token no call of that kind gets through either."""
    found = await _ask(outcome)
    assert (found.why, found.passed) == (why, passed)

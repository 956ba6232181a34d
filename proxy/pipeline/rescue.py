"""The only table from an outcome to an HTTP reply.

    outcome    status                              body
    Answered   the partner's                       the partner's, unchanged
    Refused    the refusal's own                   problem+json
    Unsent     503 no room here, 504 a timeout,    problem+json, execution none
               502 anything else
    InDoubt    504 a timeout, 502 anything else    problem+json, execution unknown

On a best-effort route the configured reply stands in for all of these but an
answer below 500. It is labelled `substituted`, with the reason and with what is known of the
execution, so that nobody takes it for the partner's word.

Every reply says what is known of the execution, and a reply of ours says what
the application may safely do next (RFC 9457 with members of our own).
"""

from __future__ import annotations

import json
from functools import lru_cache

from proxy.model.bulkhead import BestEffort
from proxy.model.call import Call
from proxy.model.message import Response, header
from proxy.model.outcome import Answered, Execution, InDoubt, Outcome, Refused, Unsent
from proxy.model.phase import Phase
from proxy.pipeline.layer import Handler, Replier

PROBLEM_TYPE = header(b"Content-Type", b"application/problem+json")
_TIMEOUTS = frozenset(("timeout", "deadline"))
_TITLES = {Refused: "Refused by the proxy", Unsent: "Not sent", InDoubt: "In doubt"}
_REPLAYED = b"Tidegate-Replayed: true\r\n"
_SETTLED_BY = b"Tidegate-Settled-By: %b\r\n"
_KINDS = {Answered: b"answered", Refused: b"refused", Unsent: b"unsent", InDoubt: b"in_doubt"}
_STAND_IN = b"substituted"
_SERVER_ERROR = 500

NEXT_AFTER_NONE = "Nothing was executed. The call may be made again."
NEXT_AFTER_MISTAKE = "Nothing was executed. Correct the request before making it again."
NEXT_AFTER_DONE = "The call was executed. Do not make it again; ask the partner for its state."
NEXT_AFTER_REUSE = (
    "This call was not sent. If it is the payment that the key was used for, send it with the body "
    "that it had; if it is another payment, give it a key of its own."
)
NEXT_AT_WORK = (
    "Ask again with the same key: the reply tells how the call ended. Nothing else is safe."
)
NEXT_UNSENT_UNKNOWN = (
    "Nothing was sent for this call, but an earlier one with the same key may have been. Make it "
    "again with the same key, never with a new one."
)
NEXT_IN_DOUBT = (
    "Never make it again with a new key. Ask again later with the same key: the call is repeated "
    "only where that is safe, and the reply tells how it ended once that is known."
)
NEXT_AFTER_UNKNOWN = (
    "The partner may have executed the call. Do not make it again with a new idempotency key or "
    "at another partner; ask the partner for its state, or repeat it with the same key where the "
    "partner honours one."
)


_NEXT = {
    "key_reused": NEXT_AFTER_REUSE,
    "key_busy": NEXT_AT_WORK,
    "taken_over": NEXT_AT_WORK,
    "in_doubt": NEXT_IN_DOUBT,
}
"""By the reason of a refusal, what applies to an execution that is unknown for that reason."""


def rescue(inner: Handler) -> Replier:
    """The top of the stack."""

    async def reply(call: Call) -> Response:
        return reply_to(call, await inner(call))

    return reply


def reply_to(call: Call, outcome: Outcome) -> Response:
    """The reply for an outcome."""
    if call.route is not None and call.route.best_effort is not None and _failed(outcome):
        return _stand_in(call, outcome, call.route.best_effort)
    labels = _labels(call, outcome)
    if isinstance(outcome, Answered):
        answer = outcome.response
        kept = [entry for entry in answer.headers if not entry[0].startswith(b"tidegate-")]
        if outcome.replayed:
            labels += _REPLAYED
            if outcome.settled_by:  # its body is not the call's own answer
                labels += _SETTLED_BY % outcome.settled_by.encode()
        return Response(answer.status, kept, answer.body, labels)
    headers = [PROBLEM_TYPE]
    if isinstance(outcome, Refused):
        if outcome.retry_after_s is not None:
            headers.append(header(b"Retry-After", str(outcome.retry_after_s).encode()))
        if outcome.settled_by:
            labels += _SETTLED_BY % outcome.settled_by.encode()
    status = status_of(outcome)
    return Response(status, headers, problem(status, outcome), labels)


def _failed(outcome: Outcome) -> bool:
    return not isinstance(outcome, Answered) or outcome.response.status >= _SERVER_ERROR


def _stand_in(call: Call, outcome: Outcome, said: BestEffort) -> Response:
    """The configured reply; the log has what it stands in for."""
    reason = (
        f"status_{outcome.response.status}" if isinstance(outcome, Answered) else outcome.reason
    )
    fixed = _fixed_labels(_STAND_IN, outcome.execution, outcome.upstream, len(call.attempts))
    labels = b"%bTidegate-Reason: %b\r\nTidegate-Call: %b\r\n" % (
        fixed, reason.encode(), call.id.encode(),
    )  # fmt: skip
    return Response(said.reply.status, said.reply.headers, said.reply.body, labels)


def reply_without_call(outcome: Refused) -> Response:
    """The reply to bytes that never became a call: labelled alike, with no identity to tell."""
    labels = _fixed_labels(_KINDS[Refused], outcome.execution, None, 0)
    return Response(outcome.status, [PROBLEM_TYPE], problem(outcome.status, outcome), labels)


def status_of(outcome: Refused | Unsent | InDoubt) -> int:
    """The HTTP status of a reply that no partner gave."""
    if isinstance(outcome, Refused):
        return outcome.status
    if isinstance(outcome, Unsent) and outcome.phase is Phase.QUEUE:
        return 503
    return 504 if outcome.reason in _TIMEOUTS else 502


def problem(status: int, outcome: Refused | Unsent | InDoubt) -> bytes:
    """The body: what happened, whose doing, what can be proven, what to do next."""
    if isinstance(outcome, Refused):
        detail, phase = outcome.detail, None
    else:
        sent = "may have been sent" if isinstance(outcome, InDoubt) else "was not sent"
        phase = outcome.phase.value
        detail = f"The request {sent} to {outcome.upstream}: {outcome.reason} in phase {phase}."
    members = {
        "type": f"urn:tidegate:problem:{_KINDS[type(outcome)].decode()}",
        "title": _TITLES[type(outcome)],
        "status": status,
        "detail": detail,
        "execution": outcome.execution.value,
        "reason": outcome.reason,
        "origin": outcome.origin.value,
        "phase": phase,
        "partner": outcome.partner,
        "upstream": outcome.upstream,
        "next": next_step(status, outcome),
    }
    present = {name: value for name, value in members.items() if value is not None}
    return json.dumps(present).encode()


def next_step(status: int, outcome: Outcome) -> str:
    """What the application may safely do."""
    if outcome.execution is Execution.UNKNOWN:
        if isinstance(outcome, Refused):
            return _NEXT.get(outcome.reason, NEXT_UNSENT_UNKNOWN)
        return NEXT_AFTER_UNKNOWN
    if outcome.execution is Execution.DONE:
        return NEXT_AFTER_DONE
    return NEXT_AFTER_MISTAKE if 400 <= status < 500 else NEXT_AFTER_NONE


def _labels(call: Call, outcome: Outcome) -> bytes:
    fixed = _fixed_labels(
        _KINDS[type(outcome)], outcome.execution, outcome.upstream, len(call.attempts)
    )
    return b"%bTidegate-Call: %b\r\n" % (fixed, call.id.encode())


@lru_cache(maxsize=4096)
def _fixed_labels(kind: bytes, execution: Execution, upstream: str | None, attempts: int) -> bytes:
    """Made once for each combination: a few for each configured upstream."""
    labels = [b"Tidegate-Outcome: " + kind, b"Tidegate-Execution: " + execution.value.encode()]
    if upstream is not None:
        labels.append(b"Tidegate-Upstream: " + upstream.encode())
    labels.append(b"Tidegate-Attempts: %d" % attempts)
    return b"\r\n".join((*labels, b""))


_LAST_WORDS = {
    "type": "urn:tidegate:problem:in_doubt",
    "title": _TITLES[InDoubt],
    "status": 500,
    "detail": "The proxy failed while it answered this call.",
    "execution": Execution.UNKNOWN.value,
    "reason": "bug",
    "origin": "proxy",
    "next": NEXT_AFTER_UNKNOWN,
}
LAST_RESORT = Response(
    500,
    [PROBLEM_TYPE],
    json.dumps(_LAST_WORDS).encode(),
    b"Tidegate-Outcome: in_doubt\r\nTidegate-Execution: unknown\r\n",
)
"""For a failure outside the stack, where nobody can tell any more how far the call got."""

"""Asking an upstream something of our own: an inquiry that no application made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from proxy.model.call import Call
from proxy.model.clock import Clock
from proxy.model.message import Request
from proxy.model.outcome import Outcome
from proxy.model.route import Candidate, Retry, Route, Upstream
from proxy.pipeline.layer import AttemptHandler

_DEADLINE_S = 15.0
"""What partners ask for status inquiries (see docs/journal.md)."""


def asking(
    attempt: AttemptHandler, clock: Clock, call_id: Callable[[], str], trace_id: Callable[[], bytes]
) -> Callable[[Upstream, bytes], Awaitable[Outcome]]:
    """A function that makes one attempt of a GET at an upstream, with its configured headers."""

    async def ask(upstream: Upstream, target: bytes) -> Outcome:
        rule = upstream.operations["inquire"]
        candidate = Candidate(upstream, upstream.timeouts, upstream.headers, rule)
        now = clock.now()
        request = Request(b"GET", target, upstream.authority, [], b"", now)
        call = Call(request, call_id(), now, {}, deadline_at=now + _DEADLINE_S)
        call.route, call.trace_id = _route(candidate), trace_id()
        call.span_id = b""
        return await attempt(call, candidate)

    return ask


def _route(candidate: Candidate) -> Route:
    return Route(
        name="(settle)", hosts=frozenset(), path_prefix=b"/", methods=frozenset(),
        replace_prefix=None, operation="inquire", candidates=(candidate,),
        deadline_s=_DEADLINE_S, retry=Retry(1, 0.0, 0.0),
    )  # fmt: skip

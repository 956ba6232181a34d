"""PURE. The reply to bytes that were no acceptable request."""

from __future__ import annotations

from proxy.model.message import Response
from proxy.model.outcome import Execution, Origin, Refused
from proxy.pipeline.rescue import reply_without_call

_MAY_BE_GOOD = (408, 503)
"""Statuses of refusals that say nothing of the request."""


def refusal(reason: str, status: int, *, keyed: bool) -> Response:
    """What the edge replies.

    Where there is `keyed` traffic, a request that was not read may have been the repetition of a
    call that was executed: of that, the reply must not say that nothing was.
    """
    unread = keyed and status in _MAY_BE_GOOD
    execution = Execution.UNKNOWN if unread else Execution.NONE
    detail = "The request was not accepted."
    return reply_without_call(Refused(reason, status, detail, Origin.APPLICATION, execution))

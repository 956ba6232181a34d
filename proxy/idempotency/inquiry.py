"""PURE. What a partner's answer to an inquiry proves about the call that is asked for."""

from __future__ import annotations

from urllib.parse import quote

from proxy.idempotency.keys import at, parse
from proxy.model.outcome import Execution
from proxy.model.route import Inquiry


def target(inquiry: Inquiry, reference: str) -> bytes:
    """Path and query of the inquiry."""
    return inquiry.target.replace("{reference}", quote(reference, safe="")).encode()


def conclusion(inquiry: Inquiry, status: int, body: bytes, age_s: float) -> Execution:
    """What is proven, `age_s` after the last sending.

    Absence is believed only when the call has had time to arrive and be
    executed; an answer that cannot be read proves nothing.
    """
    if status in inquiry.absent_statuses:
        return _absent(inquiry, age_s)
    if not 200 <= status < 300:
        return Execution.UNKNOWN
    try:
        found = at(parse(body), inquiry.found)
    except (ValueError, RecursionError):
        return Execution.UNKNOWN
    if found is None:
        return _absent(inquiry, age_s)
    return Execution.NONE if str(found) in inquiry.none_values else Execution.DONE


def _absent(inquiry: Inquiry, age_s: float) -> Execution:
    return Execution.NONE if age_s >= inquiry.absent_after_s else Execution.UNKNOWN

"""PURE. What a partner's answer to an inquiry proves about the call that is asked for."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from proxy.model.outcome import Execution
from proxy.model.pointer import at, parse
from proxy.model.settling import Inquiry, Question


def question(inquiry: Inquiry, reference: str) -> Question:
    """The inquiry as a request."""
    return Question(b"GET", filled(inquiry.target, reference), "inquire")


def filled(target: str, reference: str) -> bytes:
    """Path and query with the reference in its place."""
    return target.replace("{reference}", quote(reference, safe="")).encode()


def conclusion(
    inquiry: Inquiry, status: int, body: bytes, age_s: float, *, alone: bool = True
) -> Execution:
    """What is proven, `age_s` after the last sending.

    Absence is believed only when the call has had time to arrive and be
    executed; an answer that cannot be read proves nothing. Unless the call was
    `alone`, the first one ever sent under its key, what was not executed may be
    an earlier one, so that is believed as late as absence.
    """
    if absent(inquiry, status, body):
        return _believed(inquiry, age_s)
    found = _found(inquiry, status, body)
    if found is None:
        return Execution.UNKNOWN
    if str(found) in inquiry.none_values:
        return Execution.NONE if alone else _believed(inquiry, age_s)
    return Execution.DONE


def absent(inquiry: Inquiry, status: int, body: bytes) -> bool:
    """Whether the partner says that it has no such call."""
    if status in inquiry.absent_statuses:
        return True
    return _is_word(status, body) and _found(inquiry, status, body) is None


def _is_word(status: int, body: bytes) -> bool:
    """Whether an answer can be read at all."""
    try:
        parse(body)
    except (ValueError, RecursionError):
        return False
    return 200 <= status < 300


def _found(inquiry: Inquiry, status: int, body: bytes) -> Any:
    """What the answer says of the call, or None."""
    return at(parse(body), inquiry.found) if _is_word(status, body) else None


def _believed(inquiry: Inquiry, age_s: float) -> Execution:
    return Execution.NONE if age_s >= inquiry.absent_after_s else Execution.UNKNOWN

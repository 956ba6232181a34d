"""Records of calls as a replay keeps them, made up."""

from __future__ import annotations

from dataclasses import replace

from loadtests.incidents.history import CallRecord


def succeeded(at: float, seconds: float, scheme: str, **members: object) -> CallRecord:
    """A call that was due and taken at this instant and succeeded; `members` differ from that."""
    made = CallRecord(
        reference=f"{at}",
        nonce=f"{at}",
        scheme=scheme,
        amount=100,
        scheduled_at=at,
        taken_at=at,
        started_at=at,
        ended_at=at + seconds,
        status=200,
        outcome="answered",
        execution="done",
    )
    return replace(made, **members)  # type: ignore[arg-type]

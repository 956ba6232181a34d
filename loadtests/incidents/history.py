"""What the application saw: one record per call, and the history they make. PURE.

The words are Jepsen's: a call is invoked, and ends `ok` (the partner says it
is done), `fail` (proven not executed, or executed and declined) or `info`
(nobody knows). An `info` stays open for ever: nothing may be concluded of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from loadtests.incidents.schedule import PlannedCall


class Ending(StrEnum):
    """How a call ended for the application."""

    OK = "ok"
    FAIL = "fail"
    INFO = "info"


@dataclass(slots=True)
class CallRecord:
    """One call as the application saw it; instants are monotonic seconds.

    `scheduled_at` is when it was due, whatever happened before: latency counts
    from there, so that a stall shows in every call it delays. `status` 0 means
    that no complete answer came; `error` then says why, and `sent` whether a
    byte of the request may have left the driver.
    """

    reference: str
    nonce: str
    scheme: str
    amount: int
    scheduled_at: float
    taken_at: float = math.nan
    """The driver got to it; what lies before is the driver's own lag, and nobody else's."""
    started_at: float = math.nan
    """It had a connection, and its bytes were handed to the socket."""
    ended_at: float = math.nan
    status: int = 0
    outcome: str = ""
    execution: str = ""
    upstream: str = ""
    attempts: int = 0
    call_id: str = ""
    echoed_nonce: str = ""
    partner_time_s: float = math.nan
    reason: str = ""
    error: str = ""
    sent: bool = False

    @property
    def latency_s(self) -> float:
        """Seconds from the scheduled instant to the complete answer."""
        return self.ended_at - self.scheduled_at

    @property
    def answer_s(self) -> float:
        """Seconds from when the driver got to the call; a deadline can count from nowhere else."""
        return self.ended_at - self.taken_at

    @property
    def own_share_s(self) -> float:
        """What the sidecar took: the call's time less the driver's lag and the partner's time."""
        return self.answer_s - self.partner_time_s

    @property
    def succeeded(self) -> bool:
        """The partner accepted the payment and the application knows."""
        return 200 <= self.status < 300 and self.execution == "done"

    @property
    def ending(self) -> Ending:
        """The call's end in Jepsen's words."""
        if self.status == 0:
            return Ending.INFO if self.sent else Ending.FAIL
        if self.succeeded:
            return Ending.OK
        return Ending.FAIL if self.execution in ("none", "done") else Ending.INFO


Where = Callable[[CallRecord], bool]


@dataclass(slots=True)
class History:
    """All calls of one run, in the order of the schedule."""

    records: list[CallRecord] = field(default_factory=list)

    @classmethod
    def planned(cls, calls: Iterable[PlannedCall], starts_at: float) -> History:
        """The history before anything happened: `calls` due from the instant `starts_at` on."""
        return cls(
            [
                CallRecord(
                    call.reference, call.nonce, call.scheme, call.amount, starts_at + call.offset_s
                )
                for call in calls
            ]
        )

    def where(self, condition: Where) -> History:
        """The calls for which `condition` holds."""
        return History([record for record in self.records if condition(record)])

    def begun(self, start: float, end: float = math.inf) -> History:
        """The calls that were due in [start, end)."""
        return self.where(lambda record: start <= record.scheduled_at < end)

    def in_flight(self, start: float, end: float) -> int:
        """How many calls were under way at some moment of [start, end].

        A fault's own instant is only known to lie between the order and its
        confirmation, hence an interval.
        """
        return sum(r.started_at <= end and not r.ended_at < start for r in self.records)

    def latencies_s(self) -> list[float]:
        """Every call's latency; a call without an answer counts with its end."""
        return [record.latency_s for record in self.records]

    def count(self, condition: Where) -> int:
        """How many calls meet `condition`."""
        return sum(map(condition, self.records))

    def events(self) -> list[dict[str, object]]:
        """The history as events in order of time; a call that never began has only its end."""
        return sorted(_events(self.records), key=_instant)

    def __len__(self) -> int:
        return len(self.records)


def merged(histories: Iterable[History]) -> History:
    """Several runs as one history."""
    return History([record for history in histories for record in history.records])


def _instant(event: dict[str, object]) -> float:
    instant = event["at"]
    return instant if isinstance(instant, float) else math.inf


def _events(records: Iterable[CallRecord]) -> Iterator[dict[str, object]]:
    for record in records:
        named = {"reference": record.reference, "nonce": record.nonce}
        if not math.isnan(record.started_at):
            yield {"at": record.started_at, "event": "invoke", **named, "amount": record.amount}
        yield {
            "at": record.ended_at,
            "event": record.ending.value,
            **named,
            "latency_ms": round(1000 * record.latency_s, 3),
            "status": record.status,
            "outcome": record.outcome,
            "execution": record.execution,
            "upstream": record.upstream,
            "attempts": record.attempts,
            "call": record.call_id,
            "reason": record.reason or record.error,
        }

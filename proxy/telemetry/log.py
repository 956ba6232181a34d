"""The canonical line of a call: one JSON object, fields by allow-list.

Only our own words stand in it: names from the configuration, fixed reasons,
numbers and identifiers. No path, no query, no header and no body of a request
can reach it, so no card number can. An operator's reason is the one free text; the
admin listener takes none that looks like it holds such a number.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from proxy.model.call import Attempt, Call
from proxy.model.clock import Clock
from proxy.model.events import (
    BreakerChanged,
    Bug,
    CallEnded,
    CheckChanged,
    CollectorChanged,
    IncidentChanged,
    LateEnding,
    OverrideChanged,
    SettleGaveUp,
)
from proxy.model.message import Response
from proxy.model.outcome import Answered, InDoubt, Outcome, Refused, Unsent

_KINDS = {Answered: "answered", Refused: "refused", Unsent: "unsent", InDoubt: "in_doubt"}
_FAILED = (Unsent, InDoubt)
"""A tuple made once: a union would be made anew for each call."""
_KINDS_KEPT_MAX = 10_000


class CallLog:
    """Makes the lines. What calls have in common is made once and kept, bounded."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._common: dict[tuple[object, ...], str] = {}

    def call(self, event: CallEnded) -> bytes:
        """The line of a call that ended."""
        call, outcome = event.call, event.outcome
        attempt = call.attempts[-1] if call.attempts else None
        answer = outcome.response if isinstance(outcome, Answered) else None
        at = int((self._clock.wall() - self._clock.now() + event.ended_at) * 1_000_000)
        common = self._what(call, outcome, attempt is not None and attempt.reused)
        send_us, wait_us = _timings(call, attempt)
        status, bytes_out = (answer.status, len(answer.body)) if answer else (0, 0)
        # whole numbers in an f-string cost a third of floats in a template
        return (
            f'{{"at":{at // 1_000_000}.{at % 1_000_000:06d},"event":"call","call":"{call.id}",'
            f'"trace":"{call.trace_id.decode()}",{common},"status":{status},'
            f'"attempts":{len(call.attempts)},"bytes_in":{len(call.request.body)},'
            f'"bytes_out":{bytes_out},'
            f'"duration_us":{int((event.ended_at - call.arrived_at) * 1_000_000)},'
            f'"send_us":{send_us},"wait_us":{wait_us}{_why(call)}{_dimensions(call)}}}\n'
        ).encode()

    def _what(self, call: Call, outcome: Outcome, reused: bool) -> str:
        """The members that many calls share."""
        route = call.route
        phase = outcome.phase if isinstance(outcome, _FAILED) else None
        key = (
            call.request.method,
            route.name if route else None,
            outcome.upstream,
            type(outcome),
            outcome.execution,
            outcome.reason,
            phase,
            reused,
        )
        common = self._common.get(key)
        if common is None:
            members = {
                "method": call.request.method.decode(),
                "route": route.name if route else None,
                "operation": route.operation if route else None,
                "partner": outcome.partner,
                "upstream": outcome.upstream,
                "outcome": _KINDS[type(outcome)],
                "execution": outcome.execution,
                "reason": outcome.reason,
                "origin": outcome.origin,
                "phase": phase,
                "reused": reused,
            }
            common = json.dumps(members, separators=(",", ":"))[1:-1]
            if len(self._common) < _KINDS_KEPT_MAX:
                self._common[key] = common
        return common

    def late(self, event: LateEnding) -> bytes:
        """The line of an attempt that ended after its caller had been answered in doubt."""
        attempt, late = event.attempt, event.attempt.late
        fields = {
            "at": self._clock.wall(),
            "event": "late_ending",
            "call": event.call.id,
            "trace": event.call.trace_id.decode(),
            "attempt": attempt.number,
            "partner": attempt.candidate.upstream.partner,
            "upstream": attempt.candidate.upstream.name,
            "status": late.status if isinstance(late, Response) else 0,
            "reason": "answered" if late is None or isinstance(late, Response) else late.reason,
        }
        return json.dumps(fields).encode() + b"\n"

    def bug(self, event: Bug) -> bytes:
        """The line of a failure of our own code."""
        fields = {
            "at": self._clock.wall(),
            "event": "bug",
            "kind": event.kind,
            "where": event.where,
        }
        return json.dumps(fields).encode() + b"\n"

    def gave_up(self, event: SettleGaveUp) -> bytes:
        """The line of a call in doubt that an operator has to look into."""
        fields = {
            "at": self._clock.wall(),
            "event": "settle_gave_up",
            "partner": event.partner,
            "upstream": event.upstream,
            "operation": event.operation,
            "row": event.row,
            "asked": event.asked,
        }
        return json.dumps(fields).encode() + b"\n"

    def override(self, event: OverrideChanged) -> bytes:
        """The line of a change of where calls go, with who wants it and why."""
        said, wall = event.override, self._clock.wall()
        fields = {
            "at": wall,
            "event": "route_override",
            "change": event.change,
            "kind": said.kind,
            "route": said.route or None,
            "upstream": said.upstream,
            "by": said.by,
            "reason": said.reason,
            "since": said.since,
            "until": wall + event.left_s,
        }
        return json.dumps(fields).encode() + b"\n"

    def changed(self, event: BreakerChanged | CheckChanged) -> bytes:
        """The line of a change of what is known about an upstream."""
        return self.breaker(event) if isinstance(event, BreakerChanged) else self.check(event)

    def breaker(self, event: BreakerChanged) -> bytes:
        """The line of a breaker's change of state, with what led to it."""
        fields = {
            "at": self._clock.wall(),
            "event": "breaker",
            "partner": event.partner,
            "upstream": event.upstream,
            "compartment": event.compartment,
            "part": event.part,
            "was": event.was,
            "state": event.state,
            "reason": event.reason,
            "calls": event.calls,
            "failures": event.failures,
            "shadow": event.shadow,
            "next_probe_s": event.next_probe_s,
        }
        return json.dumps(fields).encode() + b"\n"

    def check(self, event: CheckChanged) -> bytes:
        """The line of checks that began to fail or to pass, and of a standby's proof."""
        fields = {
            "at": self._clock.wall(),
            "event": "check",
            "partner": event.partner,
            "upstream": event.upstream,
            "change": event.change,
            "reason": event.reason,
            "unproven_s": round(event.unproven_s, 3),
        }
        return json.dumps(fields).encode() + b"\n"

    def incident(self, event: IncidentChanged) -> bytes:
        """The line of an incident that was opened, changed or closed."""
        fields = {"at": self._clock.wall(), "event": "incident", **asdict(event)}
        return json.dumps(fields).encode() + b"\n"

    def collector(self, event: CollectorChanged) -> bytes:
        """The line of a collector that fails, or works again."""
        fields = {"at": self._clock.wall(), "event": "collector", "trouble": event.trouble or None}
        return json.dumps(fields).encode() + b"\n"


def _why(call: Call) -> str:
    """Why its candidates were those, where that is not the file's order."""
    return f',"why":{json.dumps(call.why)}' if call.why else ""


def _dimensions(call: Call) -> str:
    """What tells its slice, as a member more; names and values are plain enough as they are."""
    if not call.dimensions or call.route is None:
        return ""
    pairs = zip(call.route.dimensions, call.dimensions, strict=True)
    members = ",".join(f'"{name}":"{value}"' for name, value in pairs)
    return f',"dimensions":{{{members}}}'


def _timings(call: Call, attempt: Attempt | None) -> tuple[int, int]:
    """Microseconds from arrival to sending, and from sending to the first byte."""
    if attempt is None or not attempt.sent_at:
        return 0, 0
    waited_s = attempt.first_byte_at - attempt.sent_at if attempt.first_byte_at else 0.0
    return int((attempt.sent_at - call.arrived_at) * 1_000_000), int(waited_s * 1_000_000)

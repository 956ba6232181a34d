"""PURE. From a record to spans, by the semantic conventions for HTTP clients.

One INTERNAL span for the call and below it one CLIENT span for each attempt, so
that whoever counts CLIENT spans counts what partners saw. `url.full` has the
configured part of the address and never the request's own path: that may hold
references of a payment, or worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from proxy.model.outcome import Execution
from proxy.model.route import Route, Upstream
from proxy.telemetry.record import AttemptRecord, CallRecord, Ending, LateRecord, Record

Attributes: TypeAlias = dict[str, str | bool | int | float | tuple[str, ...]]
_ERROR_STATUS = 400
"""By the conventions a client's span with such a status is an error."""


class Spans:
    """Makes the spans of one process; `wall_s` is what monotonic instants are added to."""

    def __init__(self, resource: Resource, scope: InstrumentationScope) -> None:
        self._resource = resource
        self._scope = scope

    def of(self, record: Record, wall_s: float) -> list[ReadableSpan]:
        """The spans of a record, the call's first."""
        if isinstance(record, LateRecord):
            return [self._late(record, wall_s)]
        return [self._call(record, wall_s), *self._attempts(record, wall_s)]

    def _call(self, record: CallRecord, wall_s: float) -> ReadableSpan:
        ended, route = record.ending, record.route
        parent = record.parent_id and _context(record.trace_id, record.parent_id, record.flags)
        links = [] if record.link is None else [Link(_context(*record.link, b"01"))]
        failed = ended.kind != "answered" or ended.execution is not Execution.DONE
        return ReadableSpan(
            name=f"{route.operation} {route.name}" if route else "call",
            context=_context(record.trace_id, record.span_id, record.flags, remote=False),
            parent=parent or None,
            resource=self._resource,
            instrumentation_scope=self._scope,
            attributes={**_of_call(record), **_of_ending(ended)},
            links=links,
            kind=SpanKind.INTERNAL,
            status=_status(ended.reason if failed else ""),
            start_time=_ns(record.began_at, wall_s),
            end_time=_ns(record.ended_at, wall_s),
        )

    def _attempts(self, record: CallRecord, wall_s: float) -> Iterator[ReadableSpan]:
        parent = _context(record.trace_id, record.span_id, record.flags, remote=False)
        for attempt in record.attempts:
            yield ReadableSpan(
                name=f"{record.method.decode()} {_template(record.route, attempt.upstream)}",
                context=_context(record.trace_id, attempt.span_id, record.flags, remote=False),
                parent=parent,
                resource=self._resource,
                instrumentation_scope=self._scope,
                attributes=_of_attempt(record, attempt),
                events=[
                    Event(f"{phase} ended", timestamp=_ns(at, wall_s))
                    for phase, at in attempt.reached
                ],
                kind=SpanKind.CLIENT,
                status=_status(_error(attempt.ending)),
                start_time=_ns(attempt.began_at, wall_s),
                end_time=_ns(attempt.ended_at, wall_s),
            )

    def _late(self, record: LateRecord, wall_s: float) -> ReadableSpan:
        return ReadableSpan(
            name="late ending",
            context=_context(record.trace_id, record.span_id, record.flags, remote=False),
            parent=_context(record.trace_id, record.parent_id, record.flags, remote=False),
            resource=self._resource,
            instrumentation_scope=self._scope,
            attributes={**_of_peer(record.upstream), **_of_ending(record.ending)},
            kind=SpanKind.INTERNAL,
            status=_status(_error(record.ending)),
            start_time=_ns(record.began_at, wall_s),
            end_time=_ns(record.ended_at, wall_s),
        )


def _of_call(record: CallRecord) -> Attributes:
    made: Attributes = {"tidegate.call": record.id, "tidegate.kept": record.kept}
    route = record.route
    if route is None:
        return made
    passed_over = [
        each.upstream.name
        for each in route.candidates
        if each.upstream.name not in record.candidates
    ]
    made |= {
        "tidegate.route": route.name,
        "tidegate.operation": route.operation,
        "tidegate.attempts": len(record.attempts),
        "tidegate.candidates": record.candidates,
        "tidegate.candidates.passed_over": tuple(passed_over),
        **slice_of(route, record.dimensions),
    }
    return made


def _of_ending(ended: Ending) -> Attributes:
    made: Attributes = {
        "tidegate.outcome": ended.kind,
        "tidegate.execution": ended.execution.value,
        "tidegate.reason": ended.reason,
        "tidegate.origin": str(ended.origin),
    }
    for name, value in (
        ("tidegate.phase", str(ended.phase)),
        ("tidegate.partner", ended.partner),
        ("tidegate.upstream", ended.upstream),
        ("tidegate.settled_by", ended.settled_by),
    ):
        if value:
            made[name] = value
    if ended.status:
        made["http.response.status_code"] = ended.status
    if ended.replayed:
        made["tidegate.replayed"] = True
    return made


def _of_attempt(record: CallRecord, attempt: AttemptRecord) -> Attributes:
    there, template = attempt.upstream, _template(record.route, attempt.upstream)
    made: Attributes = {
        "http.request.method": record.method.decode(),
        "url.full": f"{'https' if there.tls else 'http'}://{there.authority.decode()}{template}",
        "url.template": template,
        "network.protocol.name": "http",
        "network.protocol.version": "1.1",
        "tidegate.connection.reused": attempt.reused,
        **_of_peer(there),
        **_of_ending(attempt.ending),
    }
    if record.route is not None:
        made["tidegate.operation"] = record.route.operation
        made |= slice_of(record.route, record.dimensions)
    if attempt.number > 1:
        made["http.request.resend_count"] = attempt.number - 1
    if error := _error(attempt.ending):
        made["error.type"] = error
    began_at = attempt.began_at
    for phase, at in attempt.reached:
        made[f"tidegate.phase.{phase}_s"] = max(0.0, at - began_at)
        began_at = at
    if attempt.reached and attempt.reached[-1][0] == "first_byte":
        made["tidegate.phase.body_s"] = max(0.0, attempt.ended_at - began_at)
    return made


def _of_peer(there: Upstream) -> Attributes:
    """Both names of the peer: the one that service graphs read, and the one that replaces it."""
    return {
        "server.address": there.host.strip("[]"),
        "server.port": there.port,
        "peer.service": there.partner,
        "service.peer.name": there.partner,
        "tidegate.partner": there.partner,
        "tidegate.upstream": there.name,
    }


def slice_of(route: Route, dimensions: tuple[str, ...]) -> Attributes:
    """The values of a call's dimensions, by name."""
    return {
        f"tidegate.slice.{name}": value
        for name, value in zip(route.dimensions, dimensions, strict=False)
    }


def _template(route: Route | None, there: Upstream) -> str:
    """What of the path at the partner stands in the configuration."""
    if route is None:
        return "/"
    prefix = route.path_prefix if route.replace_prefix is None else route.replace_prefix
    return (there.base_path + prefix).decode() or "/"


def _error(ended: Ending) -> str:
    """`error.type`: the status, or our own word for what there was in place of one."""
    if ended.kind != "answered":
        return ended.reason
    return str(ended.status) if ended.status >= _ERROR_STATUS else ""


def _status(error: str) -> Status:
    return Status(StatusCode.ERROR, error) if error else Status(StatusCode.UNSET)


def _context(trace_id: bytes, span_id: bytes, flags: bytes, *, remote: bool = True) -> SpanContext:
    """Kept is sampled, whatever the application's flag said."""
    return SpanContext(
        int(trace_id, 16), int(span_id, 16), remote, TraceFlags(int(flags, 16) | TraceFlags.SAMPLED)
    )


def _ns(at: float, wall_s: float) -> int:
    return int((at + wall_s) * 1e9)

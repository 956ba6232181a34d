"""PURE. A verdict in words: one sentence to act on at three in the morning, and its evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from proxy.health.evidence import Evidence
from proxy.health.symptom import ANSWER, Kind
from proxy.health.verdict import Blame, Verdict

_REASONS = {
    "timeout": "there is no reply in time",
    "refused": "connections are refused",
    "reset": "connections are reset",
    "closed": "connections are closed without an answer",
    "unreachable": "there is no way there",
    "deadline": "there is no answer before the deadline",
    "malformed": "answers are no valid HTTP",
    "certificate_expired": "its certificate has expired",
    "certificate_not_yet_valid": "its certificate is not valid yet",
    "certificate_unknown_ca": "its certificate comes from nobody that is trusted here",
    "certificate_hostname": "its certificate is for another name",
    "certificate_revoked": "its certificate is revoked",
    "certificate_invalid": "its certificate is not valid",
    "client_certificate_required": "our client certificate is missing",
    "client_certificate_refused": "our client certificate is not accepted",
    "protocol_version": "no TLS version suits both sides",
    "handshake_failed": "the TLS handshake fails",
    "handshake_closed": "the connection ends during the TLS handshake",
    "pool_full": "our own connection pool is full",
    "pool_timeout": "our own connection pool has no connection free in time",
    "no_local_port": "this machine has no local port left",
    "no_descriptor": "this process has no file descriptor left",
    "no_such_name": "name servers say that its name does not exist",
    "no_addresses": "name servers have no address for its name",
    "no_server": "no name server answers",
    "in_doubt_old": "payments stay in doubt",
    "standby_not_proven": "the standby has not been proven",
    "silence": "no calls come in",
}
_TIMEOUTS = {
    "resolve": "name servers do not answer for its name",
    "connect": "connection attempts are not answered",
    "tls": "the TLS handshake is not answered",
    "first_byte": "requests are not answered in time",
}
_PHASES = {
    "resolve": "names",
    "connect": "connecting",
    "tls": "TLS",
    "queue": "our queue",
    "send": "sending",
    "first_byte": "waiting for the answer",
    "body": "reading the answer",
    ANSWER: "its answers",
    "settle": "settling",
    "arrival": "calls from the application",
    "standby": "the standby",
}

_NAMED_MAX = 8
"""A sentence that names more is not read; each stands in the record's `slices`."""
_COMPARED_MAX = 16
"""Values of dimensions, the worst first: a record is kept, with its bound."""


def reason_text(verdict: Verdict | Evidence) -> str:
    """What is seen."""
    if verdict.kind is Kind.SLOW:
        return f"answers take longer than {verdict.slow_s:.3g} s"
    if verdict.reason.startswith("status_"):
        status = verdict.reason.removeprefix("status_")
        if verdict.kind is Kind.SATURATED:
            return f"it says that it has too much to do (HTTP {status})"
        what = "it does not take our requests" if verdict.kind is Kind.REJECTED else "it fails"
        return f"{what} (HTTP {status})"
    if verdict.reason == "timeout":
        return _TIMEOUTS.get(verdict.phase, _REASONS["timeout"])
    return _REASONS.get(verdict.reason, verdict.reason.replace("_", " "))


def sentence(verdict: Verdict, clock: Callable[[float], float]) -> str:
    """One sentence; `clock` makes wall time of an instant."""
    many = len(verdict.partners) > 1
    slices = listed([place.slice for place in verdict.places])
    who = " and ".join(verdict.partners)
    parts = [f"{who} ({slices}): {reason_text(verdict)}"]
    if verdict.certain:
        parts.append(verdict.certain)
    if verdict.calls:
        of = "calls" if verdict.kind is not Kind.SLOW else "answers"
        parts.append(f"{verdict.bad} of {verdict.calls} {of} ({verdict.share:.0%})")
    parts.append(f"since {moment(clock(verdict.since))}")
    facts, whose = ", ".join(parts), _whose(verdict, many=many)
    instead = f"; calls go to {', '.join(verdict.instead)} instead" if verdict.instead else ""
    return f"{facts}; {whose}{instead}."


def listed(names: Sequence[str]) -> str:
    """The first ones by name, the others by number."""
    more = len(names) - _NAMED_MAX
    return ", ".join(names[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def moment(wall: float) -> str:
    """A time of day, in UTC."""
    return datetime.fromtimestamp(wall, UTC).strftime("%H:%M:%S UTC")


def _whose(verdict: Verdict, *, many: bool) -> str:
    phase = _PHASES.get(verdict.phase, verdict.phase)
    where = f"the trouble is in {phase}"
    others = ", ".join(verdict.others_reached)
    origin = verdict.origin
    if origin is Blame.NETWORK:
        if many:
            return f"{where} and hits them at once, so it is the network or us, not the partners"
        return f"{where} and nothing shows that our own network works, so look there first"
    if origin is Blame.PARTNER:
        contrast = f", while {others} answer{'s' if ',' not in others else ''}" if others else ""
        return f"{where}{contrast}: the partner or the way to it"
    if origin is Blame.SCHEME:
        return f"{where} for this value alone, at every partner that has it: the scheme"
    if origin is Blame.DNS:
        return f"{where}: DNS, not the partner's service"
    if origin is Blame.US:
        return f"{where}: it is on our side"
    if verdict.phase == "arrival":
        return f"{where}: the application, or what stands before it, has gone quiet"
    return f"{where}: the application sends what cannot be taken"


def evidence_lines(verdict: Verdict, clock: Callable[[float], float]) -> list[str]:
    """What the verdict rests on, one line each."""
    lines = []
    for each in verdict.evidence:
        value = "" if each.value is None else f" · {each.value[0]}={each.value[1]}"
        where = f"{each.upstream}{f' · {each.operation}' if each.operation else ''}{value}"
        if each.certain:
            lines.append(f"{where}: {reason_text(each)}, {each.certain}")
        if each.bad:
            lines.append(
                f"{where}: {each.bad} of {each.calls} calls {each.kind} in phase {each.phase}"
                f" ({each.reason}), at least {each.low:.0%} by the numbers, first at"
                f" {moment(clock(each.since))}, last at {moment(clock(each.last))}"
            )
        parts = [part for part in each.parts if part.calls]
        parts.sort(key=lambda part: (-part.bad, -part.calls))
        lines += [
            f"for comparison, {part.value[0]}={part.value[1]}: {part.bad} of {part.calls} calls"
            for part in parts[:_COMPARED_MAX]
        ]
    if verdict.others_reached:
        lines.append(f"answered meanwhile: {', '.join(verdict.others_reached)}")
    return lines

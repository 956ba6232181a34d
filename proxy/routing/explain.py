"""What would happen to a call: the route, the candidates and the rules in force, as text."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.model.bulkhead import BestEffort
from proxy.model.route import Candidate, OperationRule, Route
from proxy.routing.eligibility import moves_money
from proxy.routing.table import RouteTable


def explain(table: RouteTable, host: str, target: str, method: str) -> str | None:
    """Readable lines, or None when no route matches."""
    route, _ = table.find(host.encode(), target.encode(), method.encode())
    return None if route is None else "\n".join(_lines(route, method))


def _lines(route: Route, method: str) -> Iterator[str]:
    where = f" (line {route.line})" if route.line else ""
    yield f"route {route.name}{where}"
    yield f"  operation  {route.operation}"
    yield f"  deadline   {route.deadline_s:g} s for everything done for the call"
    yield f"  priority   {route.priority.word.replace('_', ' ')}"
    if route.best_effort is not None:
        yield from _best_effort(route.best_effort)
    yield f"  attempts   at most {route.retry.attempts_max} at each candidate"
    if route.allow_eof_body:
        yield "  answers that end by closing the connection are accepted (allow_eof_body)"
    for number, candidate in enumerate(route.candidates, 1):
        yield from _candidate(number, candidate, method, best_effort=route.best_effort is not None)
    yield "  by the file; operators may have forced or drained it, see `tidegate route list`"


def _best_effort(effort: BestEffort) -> Iterator[str]:
    yield (
        f"  best effort: {effort.reply.status} stands in when the deadline is over or anything "
        f"fails; at most {effort.at_work_max} at work"
    )
    if not effort.wait:
        yield "  best effort: that is the reply to every call, which is sent behind it"


def _candidate(
    number: int, candidate: Candidate, method: str, *, best_effort: bool
) -> Iterator[str]:
    upstream, timeouts = candidate.upstream, candidate.timeouts
    scheme = "https" if upstream.tls else "http"
    base = upstream.base_path.decode()
    yield (
        f"  candidate {number}: {upstream.name} of {upstream.partner}, "
        f"{scheme}://{upstream.authority.decode()}{base}"
    )
    phases = (
        f"{name} {getattr(timeouts, name + '_s'):g} s"
        for name in ("queue", "resolve", "connect", "tls", "send", "first_byte", "body")
    )
    yield f"    timeouts   {', '.join(phases)}"
    places = upstream.bulkhead
    if not best_effort:
        shown = f"{places.at_work_max} attempts at work, {places.waiting_max} calls waiting"
        yield f"    bulkhead   at most {shown}{', adaptive' if places.adaptive else ''}"
    moves = moves_money(candidate.rule, method.encode())
    after = "never tried again" if moves else "may be tried again, it moves no money"
    yield f"    unknown    after an unknown the call is {after}"
    yield f"    statuses   {_statuses(candidate.rule)}"
    put = [name.decode() for _, name, _ in candidate.headers.put]
    if put:
        yield f"    headers    sets {', '.join(put)}"
    if candidate.headers.remove:
        removed = sorted(key.decode() for key in candidate.headers.remove)
        yield f"    headers    removes {', '.join(removed)}"


def _statuses(rule: OperationRule) -> str:
    by_execution: dict[str, list[str]] = {}
    for status, execution in sorted(rule.statuses.items()):
        shown = f"{status}xx" if status < 10 else str(status)
        by_execution.setdefault(execution.value, []).append(shown)
    return "; ".join(f"{' '.join(shown)} = {name}" for name, shown in by_execution.items())

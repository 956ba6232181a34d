"""What would happen to a call: the route, the candidates and the rules in force, as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address

from proxy.model.breaker import BreakerLimits, BreakerMode
from proxy.model.bulkhead import BestEffort
from proxy.model.call import SAFE_METHODS
from proxy.model.checking import CheckKind, CheckLimits
from proxy.model.route import Candidate, KeyFrom, OperationRule, Route, Upstream
from proxy.routing.eligibility import moves_money
from proxy.routing.explain_choice import chosen_by
from proxy.routing.table import RouteTable

Rewritten = Callable[[Route, Candidate], bytes]
"""Path and query as a candidate gets them."""


def explain(
    table: RouteTable, host: str, target: str, method: str, rewritten: Rewritten
) -> str | None:
    """Readable lines, or None when no route matches."""
    route, _ = table.find(host.encode(), target.encode(), method.encode())
    return None if route is None else "\n".join(_lines(route, method, rewritten))


def _lines(route: Route, method: str, rewritten: Rewritten) -> Iterator[str]:
    where = f" (line {route.line})" if route.line else ""
    yield f"route {route.name}{where}"
    yield f"  operation  {route.operation}"
    yield f"  deadline   {route.deadline_s:g} s for everything done for the call"
    yield f"  priority   {route.priority.word.replace('_', ' ')}"
    if route.best_effort is not None:
        yield from _best_effort(route.best_effort)
    yield f"  key        {_key(route, method)}"
    yield f"  attempts   at most {route.retry.attempts_max} at each candidate"
    if route.standby is not None:
        yield (
            f"  standby    {route.standby.share:.2%} of new calls, and one each "
            f"{route.standby.every_s:g} s at least, go to a later candidate first"
        )
    if route.allow_eof_body:
        yield "  answers that end by closing the connection are accepted (allow_eof_body)"
    yield from chosen_by(route)
    for number, candidate in enumerate(route.candidates, 1):
        keyed = route.idempotency is not None and method.encode() not in SAFE_METHODS
        sent = rewritten(route, candidate).decode("latin-1")
        yield from _candidate(number, route, candidate, method, keyed, sent)
    yield "  by the file; operators may have forced or drained it, see `tidegate route list`"


def _best_effort(effort: BestEffort) -> Iterator[str]:
    yield (
        f"  best effort: {effort.reply.status} stands in when the deadline is over or anything "
        f"fails; at most {effort.at_work_max} at work"
    )
    if not effort.wait:
        yield "  best effort: that is the reply to every call, which is sent behind it"


def _key(route: Route, method: str) -> str:
    rule = route.idempotency
    if method.encode() in SAFE_METHODS:
        return "none: calls that move nothing are not journalled"
    if rule is None:
        return "none: calls are not journalled, and a call in doubt is not settled"
    header = rule.header.decode()
    if rule.key_from is KeyFrom.FIELDS:
        return f"from the header {header}, else from {', '.join(rule.fields)}"
    missing = "refused" if rule.key_from is KeyFrom.REQUIRED else "not journalled"
    return f"from the header {header}; calls without it are {missing}"


def _connects(upstream: Upstream) -> str:
    """Where to, and by which way out if it is not just the machine's."""
    egress = upstream.egress
    ways = [f"from {' and '.join(egress.source_addresses)}"] if egress.source_addresses else []
    if egress.proxy is not None:
        scheme = "https" if egress.proxy.tls else "http"
        host = f"[{egress.proxy.host}]" if ":" in egress.proxy.host else egress.proxy.host
        ways.append(f"through {scheme}://{host}:{egress.proxy.port}")
    return ", ".join([_place(upstream), *ways])


def _place(upstream: Upstream) -> str:
    if upstream.addresses:
        return f"to {', '.join(upstream.addresses)}, pinned"
    try:
        ip_address(upstream.resolve_as.strip("[]"))
    except ValueError:
        by = " there" if upstream.egress.proxy is not None else ""
        return f"to what {upstream.resolve_as} resolves to{by}"
    return f"to {upstream.resolve_as}, an address"


def _unknown(candidate: Candidate, method: str, keyed: bool) -> str:
    if not moves_money(candidate.rule, method.encode()):
        return "the call may be tried again, it moves no money"
    if not keyed or not candidate.own_keys.resend_s:
        return "the call is never tried again"
    asked = (
        " once it was asked and has no such call," if candidate.settle.resend_when_absent else ""
    )
    within = f"{candidate.own_keys.resend_s:g} s of the first sending"
    return f"only the application's retry with its key is repeated, here,{asked} within {within}"


def _settled(candidate: Candidate, keyed: bool) -> str:
    if not keyed:
        return "by nobody: such calls are in no journal"
    if candidate.settle.reversal is not None:
        return "by a reversal"
    if candidate.settle.inquiry is not None:
        return "by asking the partner"
    return "by a retry with its key" if candidate.own_keys.resend_s else "by a webhook or operator"


def _candidate(
    number: int, route: Route, candidate: Candidate, method: str, keyed: bool, sent: str
) -> Iterator[str]:
    upstream, timeouts = candidate.upstream, candidate.timeouts
    scheme = "https" if upstream.tls else "http"
    base = upstream.base_path.decode()
    yield (
        f"  candidate {number}: {upstream.name} of {upstream.partner}, "
        f"{scheme}://{upstream.authority.decode()}{base}"
    )
    yield f"    target     {method} {sent}"
    yield f"    connects   {_connects(upstream)}"
    phases = (
        f"{name} {getattr(timeouts, name + '_s'):g} s"
        for name in ("queue", "resolve", "connect", "tls", "send", "first_byte", "body")
    )
    yield f"    timeouts   {', '.join(phases)}"
    places = upstream.bulkhead
    if route.best_effort is None:
        shown = f"{places.at_work_max} attempts at work, {places.waiting_max} calls waiting"
        yield f"    bulkhead   at most {shown}{', adaptive' if places.adaptive else ''}"
    yield f"    breaker    {_breaker(upstream.breaker)}"
    yield f"    checks     {_checks(upstream.checks, len(route.candidates) > 1)}"
    yield f"    unknown    after an unknown {_unknown(candidate, method, keyed)}"
    yield f"    settled    {_settled(candidate, keyed)}"
    yield f"    statuses   {_statuses(candidate.rule)}"
    put = [name.decode() for _, name, _ in candidate.headers.put]
    if put:
        yield f"    headers    sets {', '.join(put)}"
    if candidate.headers.remove:
        removed = sorted(key.decode() for key in candidate.headers.remove)
        yield f"    headers    removes {', '.join(removed)}"


def _breaker(limits: BreakerLimits) -> str:
    if limits.mode is BreakerMode.OFF:
        return "off"
    shadow = ", in shadow mode: it refuses nothing" if limits.mode is BreakerMode.SHADOW else ""
    return (
        f"opens after {limits.unreachable_max} connection failures in a row, or where clearly "
        f"{limits.open_share:.0%} fail, for {limits.open_s:g} s to {limits.open_max_s:g} s{shadow}"
    )


def _checks(limits: CheckLimits, companions: bool) -> str:
    if limits.kind is CheckKind.OFF:
        return "none"
    if limits.kind is CheckKind.AUTO and not companions:
        return "connects before a probe, where connections failed; nothing by itself for this route"
    asked = limits.request if limits.kind is CheckKind.REQUEST else None
    what = "connects"
    if asked is not None:
        what = f"{asked.method.decode()} {asked.target.decode()}"
    return f"{what} each {limits.interval_s:g} s, and before a breaker's probe"


def _statuses(rule: OperationRule) -> str:
    by_execution: dict[str, list[str]] = {}
    for status, execution in sorted(rule.statuses.items()):
        shown = f"{status}xx" if status < 10 else str(status)
        by_execution.setdefault(execution.value, []).append(shown)
    return "; ".join(f"{' '.join(shown)} = {name}" for name, shown in by_execution.items())

"""Settings of places, breakers, priorities and best effort to the plain values that layers read."""

from __future__ import annotations

from proxy.model.breaker import BreakerLimits
from proxy.model.bulkhead import BestEffort, BulkheadLimits, Priority
from proxy.model.message import Response, header
from proxy.settings import defaults
from proxy.settings.breaker import Breaker
from proxy.settings.bulkhead import Bulkhead
from proxy.settings.schema import Route


def limits(written: Bulkhead) -> BulkheadLimits:
    """The bounds of each operation at an upstream."""
    waiting_max = written.at_work_max if written.waiting_max is None else written.waiting_max
    return BulkheadLimits(written.at_work_max, waiting_max, written.adaptive)


def breaker(written: Breaker) -> BreakerLimits:
    """When an upstream is not asked."""
    return BreakerLimits(
        written.mode,
        written.unreachable_max,
        written.open_share,
        written.open_s,
        max(written.open_s, written.open_max_s),
        written.slow_max_s,
    )


def priority(route: Route) -> Priority:
    """The route's own, else its operation's; best effort is always last."""
    if route.best_effort is not None:
        return Priority.BEST_EFFORT
    return defaults.PRIORITY[route.operation] if route.priority is None else route.priority


def deadline_s(route: Route) -> float:
    """How long a call may take; the budget, where a caller of best effort waits for it."""
    own = route.best_effort
    return own.budget_s if own is not None and own.wait else route.deadline_s


def best_effort(route: Route) -> BestEffort | None:
    """The reply that stands in, ready to be written."""
    own = route.best_effort
    if own is None:
        return None
    headers = [
        header(name.encode(), value.reveal().encode()) for name, value in own.reply.headers.items()
    ]
    body = (own.reply.body or "").encode()
    return BestEffort(Response(own.reply.status, headers, body), own.wait, own.at_work_max)

"""How much may be at work at once, and what nobody should wait for."""

from __future__ import annotations

from typing import Annotated

from proxy.settings.base import Model, key
from proxy.settings.kinds import HeaderName, HeaderValue, Text
from proxy.settings.scalars import duration, flag, whole


class Bulkhead(Model):
    """Places of one upstream; each operation has so many of its own."""

    at_work_max: Annotated[int, whole(1, 10_000)] = key(100, "attempts at work at once")
    waiting_max: Annotated[int, whole(0, 10_000)] | None = key(
        None, "calls that may wait for a place; unset: as many as at_work_max"
    )
    adaptive: Annotated[bool, flag()] = key(
        False, "fewer at work while the partner has too much, and then one more at a time"
    )


class Reply(Model):
    """What stands in for a partner's answer."""

    status: Annotated[int, whole(200, 599)] = key(204, "its status")
    headers: dict[HeaderName, HeaderValue] = key({}, "its headers")
    body: Text | None = key(None, "its body")


class BestEffort(Model):
    """A route whose answer is worth a moment only."""

    budget_s: Annotated[float, duration("1ms", "10s")] = key(
        "50ms", "how long a caller waits, in place of the deadline", "budget"
    )
    reply: Reply = key({}, "what the caller gets when the budget is over, or anything fails")
    wait: Annotated[bool, flag()] = key(
        True, "false: reply at once, and send behind it, within the deadline"
    )
    at_work_max: Annotated[int, whole(1, 10_000)] = key(
        100, "its calls at work at once, with places of their own; more are shed"
    )

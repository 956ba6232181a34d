"""When an upstream is not asked, and when it is asked again."""

from __future__ import annotations

from typing import Annotated

from proxy.settings.base import Model, key
from proxy.settings.kinds import BreakerWord
from proxy.settings.scalars import duration, number, whole


class Breaker(Model):
    """The breaker of one upstream; each operation has its own."""

    mode: BreakerWord = key("on", "shadow: report what would be refused; off: do not watch")
    unreachable_max: Annotated[int, whole(1, 1000)] = key(
        5, "connection failures in a row that open it"
    )
    open_share: Annotated[float, number(0.05, 1.0)] = key(
        0.5, "share of failing calls that opens it, beyond chance"
    )
    open_s: Annotated[float, duration("100ms", "10m")] = key(
        "5s", "first time until a probe, doubled at each failed one", "open"
    )
    open_max_s: Annotated[float, duration("100ms", "1h")] = key(
        "60s", "where doubling ends; never less than open", "open_max"
    )
    slow_max_s: Annotated[float, duration("100ms", "10m")] = key(
        "10s", "an answer that takes longer is slow, whatever is usual", "slow_max"
    )

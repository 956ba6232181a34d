"""How an upstream is checked without a payment, and how a standby is kept proven."""

from __future__ import annotations

from typing import Annotated

from proxy.settings.base import Model, key
from proxy.settings.kinds import AnyTarget, CheckWord, Method, Operation, StatusKey, Text
from proxy.settings.scalars import duration, number, whole


class CheckRequest(Model):
    """What a check asks; never something that moves money."""

    method: Method = key("GET", "GET, HEAD or OPTIONS; others with an operation without money")
    target: AnyTarget = key("/", "path and query below the upstream's url")
    operation: Operation = key("inquire", "whose rules count: it may not move money")
    body: Text | None = key(None, "what is sent, as application/json")
    expect: tuple[StatusKey, ...] = key(("2xx",), "statuses or classes that pass")


class Checks(Model):
    """The checks of one upstream."""

    kind: CheckWord = key(
        "auto", "connect, request or off; auto: connect, where a route has another candidate"
    )
    interval_s: Annotated[float, duration("1s", "1h")] = key(
        "20s", "between checks; an answered call stands for one", "interval"
    )
    timeout_s: Annotated[float, duration("50ms", "30s")] = key(
        "5s", "after which a check has failed", "timeout"
    )
    fall: Annotated[int, whole(1, 20)] = key(3, "failures in a row until it is called failing")
    rise: Annotated[int, whole(1, 20)] = key(2, "passes in a row until it is called well")
    proven_within_s: Annotated[float, duration("1s", "24h")] = key(
        "5m", "without an answered call or a passed check for longer: not proven", "proven_within"
    )
    request: CheckRequest | None = key(None, "what kind: request asks")


class Standby(Model):
    """The share of a route's new payments that its standbys take, so that they are known to."""

    share: Annotated[float, number(0.0, 0.2)] = key(0.01, "of the route's new calls; 0: none")
    every_s: Annotated[float, duration("10s", "24h")] = key(
        "10m", "so often at least one call, of ten at most one", "every"
    )

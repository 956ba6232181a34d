"""PURE. The calls of a window: which slice each belongs to, and how long its partner takes.

Both arms of a pair have the same seed, so each call has its twin: the same instant,
slice and partner's time. What differs is the sidecar's own.
"""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass

ROUTES = 4
VALUES = 250
"""Of each route's dimension; a route keeps 256 apart at most."""
SLICES = ROUTES * VALUES
HOLD_P50_S = 0.05
HOLD_SIGMA = 0.4
"""A partner's ordinary answer, log-normal."""
_NOTE = "x" * 150


@dataclass(frozen=True, slots=True)
class Planned:
    """One call."""

    route: int
    value: str
    hold_us: int


def plan(count: int, seed: int) -> list[Planned]:
    """So many calls; each thousand of them goes once through all slices, in an order by chance."""
    source = random.Random(seed)
    order = list(range(SLICES))
    source.shuffle(order)
    calls = []
    for number in range(count):
        value, route = divmod(order[number % SLICES], ROUTES)
        hold_s = HOLD_P50_S * math.exp(source.gauss(0.0, HOLD_SIGMA))
        calls.append(Planned(route, f"t{value:03}", round(hold_s * 1e6)))
    return calls


def request_bytes(call: Planned, port: int) -> bytes:
    """The whole request, to the sidecar at `127.0.0.1:port`."""
    members = {"terminal": call.value, "amount": 4200, "hold_us": call.hold_us, "note": _NOTE}
    body = json.dumps(members, separators=(",", ":"))
    head = (
        f"POST /shop-{call.route}/v1/charges HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode("ascii")

"""Rows and claims for tests of the journal: valid ones, of which a test changes a part."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from proxy.idempotency.keys import row_id
from proxy.idempotency.record import (
    Claim,
    Doubt,
    Fence,
    Instant,
    Record,
    Release,
    Scope,
    Settle,
    State,
    Step,
)
from proxy.idempotency.transitions import claim, step
from proxy.model.route import Idempotency, KeyFrom
from proxy.model.settling import Inquiry, Reversal

SCOPE = Scope("default", "acme", "authorize", "k1")
NOW = Instant(1_800_000_000.0, 500.0)
PRINT = b"f" * 32
WINDOW_S = 3600.0


def wanted(key: str = "k1", **over: Any) -> Claim:
    """A claim on a key, at upstream `a`, which honours repetitions for an hour."""
    scope = replace(SCOPE, key=key)
    made = Claim(row_id(scope), scope, PRINT, "owner", "call-1", {"a": WINDOW_S})
    return replace(made, **over)


def fence(**over: Any) -> Fence:
    """The first attempt, at upstream `a`."""
    return replace(Fence(1, "acme", "a", "tg-1", NOW.wall + 30.0), **over)


SETTLE = Settle(201, "answered", b"sealed")
DOUBT = Doubt("reset")
RELEASE = Release("refused")
_PATHS: dict[State, list[Step]] = {
    State.CLAIMED: [],
    State.SENDING: [fence()],
    State.SETTLED: [fence(), SETTLE],
    State.IN_DOUBT: [fence(), DOUBT],
    State.RELEASED: [fence(), RELEASE],
}


def row(state: State, now: Instant = NOW, **over: Any) -> Record:
    """A row that came to this state by steps."""
    _, made = claim(None, wanted(**over), now)
    for each in _PATHS[state]:
        made = step(made, made.token, each, now)
    return made


def later(wall_s: float, kept_s: float | None = None) -> Instant:
    """An instant after NOW, by either clock."""
    return Instant(NOW.wall + wall_s, NOW.kept + (wall_s if kept_s is None else kept_s))


INQUIRY = Inquiry("/reference", "/p?ref={reference}", "/payments/0/state", frozenset({"cancelled"}),
                  frozenset({404}), 60.0)  # fmt: skip
"""How upstream `a` is asked about an authorisation."""
REVERSAL = Reversal("/reference", b"POST", "/void?ref={reference}", None, frozenset({200, 201}),
                    frozenset({404}), 30.0, 60.0)  # fmt: skip
"""How upstream `a` undoes an authorisation."""
KEYED = Idempotency(
    key_from=KeyFrom.OPTIONAL, header=b"idempotency-key", length_max=64, tenant="default",
    tenant_header=None, group="acme", fields=(), volatile=(), wait_s=5.0,
)  # fmt: skip
"""A route's rule: the key is in the header, if there is one."""

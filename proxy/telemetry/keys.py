"""PURE. What calls and attempts are counted by; all values are configured names or fixed words."""

from __future__ import annotations

from typing import NamedTuple


class CallKey(NamedTuple):
    """What calls are counted by."""

    route: str
    operation: str
    outcome: str
    execution: str
    reason: str


class AttemptKey(NamedTuple):
    """What attempts are counted by: whom they were sent to, what they were, how they ended."""

    partner: str
    upstream: str
    operation: str
    slice: str
    """The values of the call's dimensions, such as `scheme=visa`; empty where there are none."""
    outcome: str
    execution: str
    phase: str
    reason: str
    method: str
    status: int
    """0 without an answer."""

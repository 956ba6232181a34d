"""`proxy.telemetry.log`: the line of a breaker's change of state."""

from __future__ import annotations

import json

from proxy.model.events import BreakerChanged
from proxy.telemetry.log import CallLog
from tests.support.manual_clock import WALL_START_S, ManualClock


def test_a_breakers_change_has_a_line_with_what_led_to_it() -> None:
    """Where, from which state to which, and the figures."""
    changed = BreakerChanged(
        "acme", "a", "authorize", "closed", "open", "5 in a row", 9, 5, False, 5.5
    )
    assert json.loads(CallLog(ManualClock()).breaker(changed)) == {
        "at": WALL_START_S,
        "event": "breaker",
        "partner": "acme",
        "upstream": "a",
        "compartment": "authorize",
        "part": "",
        "was": "closed",
        "state": "open",
        "reason": "5 in a row",
        "calls": 9,
        "failures": 5,
        "shadow": False,
        "next_probe_s": 5.5,
    }

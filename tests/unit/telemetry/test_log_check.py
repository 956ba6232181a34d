"""`proxy.telemetry.log`: the line of a check that failed, and of a standby's proof."""

from __future__ import annotations

import json

from proxy.model.events import CheckChanged
from proxy.telemetry.log import CallLog
from tests.support.manual_clock import WALL_START_S, ManualClock


def test_a_checks_change_has_a_line_with_its_reason() -> None:
    """Where, what, why, and for how long nothing was proven."""
    changed = CheckChanged("acme", "b", "unproven", "neither a call nor a check", 300.2504)
    assert json.loads(CallLog(ManualClock()).changed(changed)) == {
        "at": WALL_START_S,
        "event": "check",
        "partner": "acme",
        "upstream": "b",
        "change": "unproven",
        "reason": "neither a call nor a check",
        "unproven_s": 300.25,
    }

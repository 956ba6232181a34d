"""`proxy.telemetry.log`: the collector of telemetry in words."""

from __future__ import annotations

import json

import pytest

from proxy.model.events import CollectorChanged
from proxy.telemetry.log import CallLog
from tests.support.manual_clock import WALL_START_S, ManualClock


@pytest.mark.parametrize(("trouble", "told"), [("refused", "refused"), ("", None)])
def test_a_collector_that_fails_or_works_again_is_a_line(trouble: str, told: str | None) -> None:
    """With the reason, or without one."""
    line = CallLog(ManualClock()).collector(CollectorChanged(trouble))
    assert json.loads(line) == {"at": WALL_START_S, "event": "collector", "trouble": told}

"""`loadtests.detection`: faults are found in time, and healthy days pass in peace.

`HEALTHY_DAYS=30` in the environment for the long form.
"""

from __future__ import annotations

import math
import os

import pytest

from loadtests.detection import found_after, healthy, table

HEALTHY_DAYS = float(os.environ.get("HEALTHY_DAYS", "2"))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("rate", "share", "bar_s"), [(1.0, 1.0, 10.0), (5.0, 0.3, 15.0)])
def test_the_bars_of_detection(rate: float, share: float, bar_s: float, seed: int) -> None:
    """All failing at one call a second within 10 s, 30 % at five within 15 s."""
    assert found_after(rate, share, seed, regular=True)["found"] <= bar_s


def test_what_fails_for_a_third_is_not_opened() -> None:
    """It is degraded: calls that have nowhere else to go still flow."""
    found = found_after(5.0, 0.3, 1)
    assert found["found"] < found["open"] == math.inf


def test_healthy_days_trip_nothing() -> None:
    """Two calls a second with a daily rhythm, 0.5 % failures, blips up to 2 s: one trip at most."""
    result = healthy(HEALTHY_DAYS, 1)
    assert result.calls == pytest.approx(2.0 * 86_400.0 * HEALTHY_DAYS, rel=0.05)
    assert result.blips > 0
    assert [each.why for each in result.trips[1:]] == []


def test_the_table_names_every_rate_and_share() -> None:
    """One line each, in Markdown."""
    lines = list(table(1, rates=(5.0,), shares=(0.3, 1.0)))
    assert lines[0].startswith("| calls/s | share failing |")
    assert [line.split("|")[1:3] for line in lines[2:]] == [[" 5 ", " 30% "], [" 5 ", " 100% "]]

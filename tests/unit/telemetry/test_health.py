"""`proxy.telemetry.health`: what has degraded, as metrics."""

from __future__ import annotations

from proxy.telemetry.health import HealthMetrics
from tests.support.incident import incident


def test_degraded_slices_open_incidents_and_alerts_are_metrics() -> None:
    """Labels by name; closed incidents count among those opened."""
    metrics = HealthMetrics()
    metrics.degraded = lambda: [{"partner": "acme", "slice": "acme-eu · authorize"}]
    metrics.open = lambda: 2
    metrics.receivers = lambda: [{"receiver": "pager", "delivered": 3, "failed": 1, "dropped": 0}]
    for change in ("opened", "changed", "closed"):
        metrics.changed(incident(change))
    text = "\n".join(metrics.render())
    assert 'tidegate_degraded{partner="acme",slice="acme-eu · authorize"} 1' in text
    assert "tidegate_incidents_open 2" in text
    assert 'tidegate_incidents_total{origin="partner"} 1' in text
    assert 'tidegate_alerts_total{receiver="pager",result="failed"} 1' in text

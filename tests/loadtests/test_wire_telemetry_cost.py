"""`loadtests.wire.telemetry_cost`: what telemetry may cost a call."""

from __future__ import annotations

import pytest

from loadtests.wire import telemetry_cost
from loadtests.wire.telemetry_cost import at_defaults_us, main


def test_a_traced_call_weighs_by_its_share() -> None:
    """One in a hundred is traced; everything else is paid by each."""
    assert at_defaults_us({"log line": 2.0, "spans, of a traced call": 100.0}) == 3.0


@pytest.mark.parametrize(("budget_us", "status"), [(1e9, 0), (0.0, 1)])
def test_over_the_budget_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    budget_us: float,
    status: int,
) -> None:
    """Every part is measured and named."""
    monkeypatch.setattr(telemetry_cost, "BUDGET_US", budget_us)
    monkeypatch.setattr(telemetry_cost, "ROUNDS", 1)
    assert main(100) == status
    assert "looked at for tracing" in capsys.readouterr().out

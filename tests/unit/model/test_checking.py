"""`proxy.model.checking`: what passes a check, and how its result reads."""

from __future__ import annotations

import pytest

from proxy.model.checking import CheckRequest, CheckResult


@pytest.mark.parametrize(("status", "passes"), [(200, True), (404, True), (403, False)])
def test_a_status_passes_by_itself_or_by_its_class(status: int, passes: bool) -> None:
    """As the configuration names them."""
    asked = CheckRequest(b"GET", b"/", "inquire", b"", frozenset((2, 404)))
    assert asked.passes(status) is passes


def test_a_result_reads_as_phase_and_reason() -> None:
    """Both where both are known."""
    assert CheckResult(True).why == "passed"
    assert CheckResult(False, "tls", "timeout").why == "tls timeout"
    assert CheckResult(False, reason="timeout").why == "timeout"

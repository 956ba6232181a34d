"""The short, seeded form of the hostile pool: each answer belongs to its own request."""

from __future__ import annotations

import pytest

from loadtests.wire.hostile_pool import ARMS, run_arm


@pytest.mark.parametrize("arm", ARMS)
def test_no_answer_is_mixed_and_no_label_lies(loop_name: str, arm: str) -> None:
    """Every answer carries its request's nonce; `none` was never executed, nothing ran twice."""
    figures = run_arm(arm, 3000, seed=7, connections=32, loop=loop_name, busy=True)
    assert figures.violations == []
    assert (figures.mixed, figures.lies, figures.duplicates) == (0, 0, 0)
    assert figures.ok > 2700
    assert figures.in_doubt > 0

"""Rules for reproducible chance."""

from __future__ import annotations

import math
import statistics

import pytest

from proxy.sandbox.chance import draw, log_normal_s


def test_a_draw_depends_on_seed_and_subject_alone() -> None:
    """The same seed and subject give the same number; another seed or subject another one."""
    first = draw(1, "fault", "r1")
    draw(1, "fault", "r2")
    assert draw(1, "fault", "r1") == first
    assert len({first, draw(2, "fault", "r1"), draw(1, "fault", "r2"), draw(1, "faultr1")}) == 4


def test_draws_are_uniform_inside_the_open_interval() -> None:
    """Shares taken of draws are as large as they were asked to be."""
    draws = [draw(3, str(number)) for number in range(20_000)]
    assert min(draws) > 0
    assert max(draws) < 1
    for share in (0.05, 0.4, 0.9):
        assert sum(number < share for number in draws) / len(draws) == pytest.approx(
            share, abs=0.02
        )


def test_latency_is_log_normal_with_the_given_median() -> None:
    """Half of all latencies lie below the median, and their logarithm spreads by sigma."""
    waits = [log_normal_s(50, 0.4, draw(5, str(number))) for number in range(5_000)]
    assert statistics.median(waits) == pytest.approx(0.050, rel=0.03)
    assert statistics.stdev(math.log(wait) for wait in waits) == pytest.approx(0.4, rel=0.05)
    assert log_normal_s(50, 0.4, 0.5) == pytest.approx(0.050)


def test_no_median_means_no_latency() -> None:
    """A partner without a latency answers at once, whatever the draw."""
    assert log_normal_s(0, 0.4, 0.999) == 0.0

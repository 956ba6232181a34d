"""`loadtests.detection_slices`: the scheme that fails is named in time, and healthy days pass.

`HEALTHY_DAYS=30` in the environment for the long form.
"""

from __future__ import annotations

import os

import pytest

from loadtests.detection_slices import SCHEMES, healthy, scheme_fails, table

HEALTHY_DAYS = float(os.environ.get("HEALTHY_DAYS", "1"))
FOUND_S_MAX = 20.0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("hangs", [False, True])
@pytest.mark.parametrize("rate", [5.0, 20.0])
def test_a_scheme_that_fails_is_named_and_no_other_is_touched(
    rate: float, hangs: bool, seed: int
) -> None:
    """Visa, 40 % of the calls: within 20 s, and not one call of another scheme refused."""
    found = scheme_fails(rate, 1.0, seed, hangs=hangs)
    assert found.named <= FOUND_S_MAX
    assert (found.wrongly, found.others_refused) == ([], 0)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_scheme_that_is_rare_is_named_as_well(share: float) -> None:
    """JCB, one call in twenty, at fifty calls a second."""
    found = scheme_fails(50.0, share, 1, ("jcb",))
    assert found.named <= FOUND_S_MAX
    assert (found.wrongly, found.others_refused) == ([], 0)


@pytest.mark.parametrize("seed", range(3))
def test_where_all_fail_no_scheme_is_blamed(seed: int) -> None:
    """The broad breaker opens, and it alone."""
    found = scheme_fails(20.0, 1.0, seed, tuple(SCHEMES))
    assert found.named > FOUND_S_MAX
    assert found.wrongly[0].startswith("all open: ")


def test_healthy_days_trip_no_slice() -> None:
    """Two dimensions, seven values and the whole: one trip at most."""
    assert healthy(HEALTHY_DAYS, 1)[1:] == []


def test_the_table_has_a_line_for_each_rate_and_share() -> None:
    """In Markdown."""
    lines = list(table(1, rates=(5.0,), shares=(1.0,)))
    assert lines[0].startswith("| calls/s | share of visa failing |")
    assert lines[2].startswith("| 5 | 100% |")

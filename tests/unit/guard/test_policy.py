"""`proxy.guard.policy`: the numbers of a breaker, out of the configuration."""

from __future__ import annotations

import pytest

from proxy.guard.policy import Checks, Policy, policy
from proxy.model.breaker import BREAKER, BreakerLimits, BreakerMode
from proxy.model.checking import CheckKind, CheckLimits


def test_the_defaults_of_the_configuration_are_those_of_the_policy() -> None:
    """Each number stands in one place, or says the same in both."""
    assert policy(BREAKER) == Policy()
    made = policy(BreakerLimits(BreakerMode.SHADOW, 3, 0.4, 1.0, 2.0, 5.0))
    assert (made.shadow, made.unreachable_max, made.open_share) == (True, 3, 0.4)
    assert (made.open_s, made.open_max_s, made.slow_max_s) == (1.0, 2.0, 5.0)


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        (CheckKind.AUTO, Checks.UNREACHABLE), (CheckKind.CONNECT, Checks.UNREACHABLE),
        (CheckKind.REQUEST, Checks.ALWAYS), (CheckKind.OFF, Checks.NEVER),
    ],
)  # fmt: skip
def test_the_kind_of_check_says_before_which_probes_it_is_made(
    kind: CheckKind, first: Checks
) -> None:
    """And how long one without any word waits follows from the check's timeout."""
    made = policy(BREAKER, CheckLimits(kind, timeout_s=2.0))
    assert (made.checks, made.check_wait_s) == (first, 7.0)

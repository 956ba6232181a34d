"""PURE. What a few calls prove about a share, and what they do not.

Two instruments, because two questions are asked.

`wilson` is an interval for a share: E. B. Wilson, "Probable inference, the law
of succession, and statistical inference", JASA 22 (1927) 209-212. Of the simple
intervals it keeps its promise best at small samples (Brown, Cai and DasGupta,
"Interval estimation for a binomial proportion", Statistical Science 16 (2001)
101-133). It is what people are shown, and what opens a breaker.

`surprise` answers whether a share is higher than an ordinary one. For rare
events an interval by the normal law is too short, so this is Chernoff's bound in
Hoeffding's form ("Probability inequalities for sums of bounded random
variables", JASA 58 (1963) 13-30, theorem 1): as many bad calls or more come by
chance with a probability of at most exp(-surprise), at any number of calls.
"""

from __future__ import annotations

from math import log, sqrt


def wilson(bad: float, calls: float, z: float) -> tuple[float, float]:
    """Lower and upper bound of the share behind `bad` of `calls`; z is the normal quantile."""
    if calls <= 0.0:
        return (0.0, 1.0)
    share = bad / calls
    square = z * z
    width = z * sqrt(share * (1.0 - share) / calls + square / (4.0 * calls * calls))
    middle = share + square / (2.0 * calls)
    scale = 1.0 + square / calls
    return (max(0.0, (middle - width) / scale), min(1.0, (middle + width) / scale))


def surprise(bad: int, calls: int, ordinary: float) -> float:
    """How surprising `bad` of `calls` is where `ordinary` is the share; 0.0 up to that share.

    In nats: 10 means a chance of at most one in 22,000. `ordinary` lies between 0 and 1, neither
    of them included.
    """
    if calls <= 0 or bad <= ordinary * calls:
        return 0.0
    if bad >= calls:
        return -calls * log(ordinary)
    share = bad / calls
    return calls * (
        share * log(share / ordinary) + (1.0 - share) * log((1.0 - share) / (1.0 - ordinary))
    )

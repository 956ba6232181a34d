"""PURE. Which values of a dimension explain that a slice is in trouble, if any do.

Those explain it that are worse than chance allows, if what is left without them is
clearly likelier to be ordinary than to be as bad as they are (Neyman and Pearson's
likelihood ratio, Phil. Trans. R. Soc. A 231 (1933) 289-337). Where too little is left
to say so, nothing is explained: then it is the whole slice. Of several dimensions the
one counts whose suspects are the more surprising together: they are the fewer calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from proxy.model.bounds import surprise

SUSPICION = 4.0
"""A value is suspected where chance explains it with at most exp(-this), one in 55. That is little,
but it is asked only where something was found already, by evidence enough to act on."""
BAD_MIN = 3
_SHARE_MAX = 0.95
"""Worse is not told apart from this, or a single good call would rule everything out."""

CLEARLY = 2.0
"""The rest is to be likelier ordinary by exp(this), seven times: one good call where all others
fail, six where a third does."""
CERTAINLY = 9.0
"""The same where the whole slice is degraded already, and is to be well again by this: a share that
wavers must not take it back and forth."""

Count = tuple[int, int]
"""Calls, and bad ones among them."""


def suspicion(count: Count, ordinary: float) -> float:
    """How surprising the bad calls of one value are; 0.0 where they are too few."""
    calls, bad = count
    return surprise(bad, calls, ordinary) if bad >= BAD_MIN else 0.0


def suspects(counts: Sequence[Count], ordinary: float) -> list[int]:
    """Which of the values are worse than chance allows."""
    return [index for index, count in enumerate(counts) if suspicion(count, ordinary) >= SUSPICION]


def together(counts: Sequence[Count]) -> Count:
    """Several as one."""
    return sum([calls for calls, _ in counts]), sum([bad for _, bad in counts])


def rest_is_ordinary(whole: Count, part: Count, ordinary: float, by: float = CLEARLY) -> bool:
    """Whether the whole without this part is likelier ordinary than as bad as it is, by exp(by)."""
    calls, bad = part
    share = min(_SHARE_MAX, bad / calls) if calls else 0.0
    if share <= ordinary:
        return False
    rest_bad = max(0, whole[1] - bad)
    rest_good = max(0, whole[0] - calls - rest_bad)
    for_bad = rest_bad * log(share / ordinary)
    return for_bad + rest_good * log((1.0 - share) / (1.0 - ordinary)) <= -by

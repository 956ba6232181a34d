"""PURE. Who waits for a place at one upstream, over all its compartments, by priority.

Compartments have places of their own, but the partner behind them has one line: the
attempts of a compartment that matters little stand in it before the payments that
wait for theirs. So while a call of higher priority waits anywhere at an upstream, a
compartment begins no more attempts of lower priority than a quarter of its places.
"""

from __future__ import annotations

from proxy.model.bulkhead import Priority

KEPT_SHARE = 0.25
"""So that nothing is shut out, however long payments wait: theirs may be a trouble of their own."""


class Crowd:
    """Counts the calls that wait at one upstream."""

    __slots__ = ("_by_priority", "waiting")

    def __init__(self) -> None:
        self._by_priority = [0] * len(Priority)
        self.waiting = 0

    def came(self, priority: Priority) -> None:
        """A call waits."""
        self._by_priority[priority] += 1
        self.waiting += 1

    def went(self, priority: Priority) -> None:
        """A call waits no more, for whatever reason."""
        self._by_priority[priority] -= 1
        self.waiting -= 1

    def above(self, priority: Priority) -> bool:
        """Whether a call of higher priority waits."""
        return any(self._by_priority[priority + 1 :])


def kept(at_work_max: int) -> int:
    """How many attempts of a compartment no priority of others keeps from beginning."""
    return max(1, int(KEPT_SHARE * at_work_max))

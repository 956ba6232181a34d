"""What checks of upstreams mean to their breakers: a word before a probe, and a place in the order.

A check refuses no call. An upstream whose checks go on failing is a suspect: it counts
as degraded in the order of candidates, unless its own calls of the last minute say
better, for a check that fails beside payments that pass is a check that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from proxy.guard.permit import State
from proxy.guard.slices import Slice, Slices
from proxy.model.call import Call
from proxy.model.route import Candidate


class Checked:
    """`every` gives all slices there are, `slices` those that have a place in the order by key.

    `suspects` has the keys of those that are suspect, and is mostly empty.
    """

    def __init__(
        self, slices: Slices, every: Callable[[], Iterable[Slice]], now: Callable[[], float]
    ) -> None:
        self._slices = slices
        self._every = every
        self._now = now
        self._failing: set[str] = set()
        """Upstreams."""
        self.suspects: set[tuple[str, str]] = set()

    def wanting(self) -> frozenset[str]:
        """Upstreams of which a breaker wants to know now whether a check passes."""
        now = self._now()
        return frozenset(at.upstream for at in self._every() if at.circuit.wants_check(now))

    def checked(self, upstream: str, why_failed: str | None) -> None:
        """A check has passed (None), or why it failed: for those that wait for one."""
        now = self._now()
        for at in self._every():
            if at.upstream == upstream:
                at.circuit.checked(why_failed, now)

    def suspect(self, upstream: str, failing: bool) -> None:
        """Whether its checks go on failing."""
        (self._failing.add if failing else self._failing.discard)(upstream)
        self._weigh()

    def tick(self) -> None:
        """Once a second: what calls say has changed."""
        if self._failing:
            self._weigh()

    def well(self, candidate: Candidate, call: Call) -> bool:
        """Whether a call may go there without need: nothing is known against it."""
        name, route = candidate.upstream.name, call.route
        assert route is not None
        at = self._slices.get((name, route.compartment))
        if name in self._failing or at is None:
            return name not in self._failing
        # the whole standing costs more than a state, and is looked at for a call in a hundred
        return (
            at.circuit.state is State.CLOSED
            and at.concerned(call) == (at,)
            and at.circuit.standing(self._now()).admitted_share == 1.0
        )

    def _weigh(self) -> None:
        """In place: whoever reads the set keeps it."""
        now = self._now()
        found = {
            key
            for key, at in self._slices.items()
            if at.upstream in self._failing and _silent(at, now)
        }
        self.suspects.intersection_update(found)
        self.suspects.update(found)


def _silent(at: Slice, now: float) -> bool:
    """Whether its calls do not speak against the checks."""
    calls, failures = at.circuit.tally(now)
    return calls <= 2 * failures

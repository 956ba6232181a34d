"""The narrow slices of one upstream's compartment: which there are, and which stand apart.

One for each value of each dimension, made when it is seen first. Values are bounded;
what comes when there are enough is `other`. One that is not well is apart: its calls
count there alone, and what they had shown before is taken out of all others, so that
the broad slice judges the rest, and only that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from proxy.guard.evidence import Finding
from proxy.guard.narrowing import (
    CERTAINLY,
    CLEARLY,
    Count,
    rest_is_ordinary,
    suspects,
    suspicion,
    together,
)
from proxy.guard.permit import Standing, State
from proxy.guard.slices import Slice
from proxy.model.call import Call
from proxy.model.dimension import OTHER

_OWN_VALUES = 2
"""`none` and `other`."""


class Parts:
    """The parts of `broad`; `make` gives the slice of a value, such as scheme=visa."""

    broad: Slice

    def __init__(self, values_max: Mapping[str, int], make: Callable[[str], Slice]) -> None:
        self._values_max = values_max
        self._make = make
        self._tables: dict[str, dict[str, Slice]] = {name: {} for name in values_max}
        self.apart: set[Slice] = set()
        """Those that are not well; mostly empty."""
        self.era = 0
        """How often one of them began anew; what a permit of before says is not noted there."""

    def all(self) -> list[Slice]:
        """All there are, by dimension."""
        return [each for table in self._tables.values() for each in table.values()]

    def named(self, part: str) -> Slice | None:
        """The one of a part such as scheme=visa, if it was ever seen."""
        name, _, value = part.partition("=")
        return self._tables.get(name, {}).get(value)

    def of(self, call: Call) -> tuple[Slice, ...]:
        """Those of a call, one for each of its dimensions."""
        values, route = call.dimensions, call.route
        if not values or route is None:
            return ()
        return tuple(
            [
                self._tables[name].get(value) or self._new(name, value)
                for name, value in zip(route.dimensions, values, strict=True)
            ]
        )

    def apart_of(self, call: Call) -> tuple[Slice, ...]:
        """Those of a call that are not well."""
        if not self.apart:
            return ()
        return tuple(each for each in self.of(call) if each in self.apart and not self._well(each))

    def look(self, now: float) -> None:
        """Let time have its say in those that are apart."""
        for each in list(self.apart):
            each.circuit.look(now)
            self._well(each)

    def _well(self, each: Slice) -> bool:
        """Whether it is well again, and so apart no more."""
        if each.circuit.is_well:
            self.apart.discard(each)
            return True
        return False

    def _new(self, name: str, value: str) -> Slice:
        table = self._tables[name]
        if len(table) >= self._values_max[name] + _OWN_VALUES - 1:
            value = OTHER
        if value not in table:
            table[value] = self._make(f"{name}={value}")
        return table[value]

    # -- what explains a finding ------------------------------------------------------------

    def explaining(self, found: Finding, now: float) -> list[tuple[Slice, Count]]:
        """Those that explain a finding, of the dimension that does it best, with their calls."""
        best: list[tuple[Slice, Count]] = []
        heaviest = 0.0
        whole = _count(self.broad, found, now)
        by = CERTAINLY if self.broad.circuit.state is State.DEGRADED else CLEARLY
        for table in self._tables.values():
            well = [each for each in table.values() if each not in self.apart]
            counts = [_count(each, found, now) for each in well]
            chosen = suspects(counts, found.ordinary)
            part = together([counts[at] for at in chosen])
            weight = suspicion(part, found.ordinary)
            if weight > heaviest and rest_is_ordinary(whole, part, found.ordinary, by):
                heaviest, best = weight, [(well[at], counts[at]) for at in chosen]
        return best

    # -- what follows from changes ------------------------------------------------------------

    def changed(self, part: Slice, standing: Standing, now: float) -> None:
        """One of them has changed its state."""
        if part.generation != standing.generation:
            part.generation = standing.generation
            self.era += 1
            part.era = self.era
        if part not in self.apart and standing.state is not State.CLOSED:
            self.apart.add(part)
            self._take_out(part, now)
            if self.broad.circuit.state is State.DEGRADED:
                self.broad.circuit.states.forgive(f"it is {part.part}: {standing.why}", now)

    def _take_out(self, part: Slice, now: float) -> None:
        """What it showed is its own: others of its dimension had no share in it."""
        window = self.broad.circuit.window
        for each in (window, part.circuit.window):
            each.note_time(now)
        window.subtract(part.circuit.window)
        window.baseline.taint()
        dimension = part.part.partition("=")[0]
        for name, table in self._tables.items():
            for other in table.values() if name != dimension else ():
                if other not in self.apart:
                    other.circuit.window.clear()
                    other.circuit.window.baseline.taint()

    def broad_changed(self, standing: Standing, now: float) -> None:
        """The broad slice has changed its state: what was found in its parts is its own."""
        state, why = standing.state, f"all of {self.broad.compartment}: {standing.why}"
        for part in list(self.apart):
            if state is State.OPEN or (
                state is State.DEGRADED and part.circuit.state is State.DEGRADED
            ):
                self.apart.discard(part)
                part.circuit.states.forgive(why, now)
        for part in self.all():
            if part not in self.apart:
                window = part.circuit.window
                window.baseline.taint()
                window.baseline.learning = state is State.CLOSED
                if state is not State.DEGRADED:
                    window.clear()


def _count(each: Slice, found: Finding, now: float) -> Count:
    window = each.circuit.window
    window.note_time(now)
    return window.counted(found.seconds, slow=found.slow)

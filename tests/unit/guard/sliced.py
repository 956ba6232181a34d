"""Guards whose calls have schemes, on virtual time."""

from __future__ import annotations

from proxy.guard.permit import Permit, Refusal
from proxy.guard.slices import Slice
from proxy.guard.verdicts import Verdict
from proxy.model.call import Call
from proxy.model.dimension import Dimension, Source
from proxy.model.route import Candidate, Route
from tests.support.values import call, candidate, route
from tests.unit.guard.slices import Slices

SCHEME = Dimension("scheme", Source.POINTER, "/scheme", values_max=3)
CURRENCY = Dimension("currency", Source.POINTER, "/currency")
A, B = candidate("a"), candidate("b")
GOOD, FAILED, HANGS = Verdict.SUCCESS, Verdict.FAILURE, Verdict.OVERDUE


def sliced(*candidates: Candidate, dimensions: tuple[Dimension, ...] = (SCHEME,)) -> Route:
    """A route whose calls are told apart."""
    names = tuple(each.name for each in dimensions)
    return route(*(candidates or (A, B)), dimensions=names, sources=dimensions)


def of(taken: Route, *values: str) -> Call:
    """A call of these values."""
    made = call(taken=taken)
    made.dimensions = values
    return made


class Sliced(Slices):
    """`at` is the broad slice of the first candidate's upstream."""

    def __init__(self, taken: Route) -> None:
        super().__init__(taken)
        self.taken = taken
        self.at = self.made.slices()[0]

    def part(self, name: str) -> Slice:
        """One of its narrow slices, by its value."""
        assert self.at.family is not None
        return next(each for each in self.at.family.parts.all() if each.part == name)

    def ask(self, *values: str) -> Permit | Refusal:
        """Ask for a call of these values."""
        return self.at.admit(of(self.taken, *values), self.clock.now())

    def one(self, verdict: Verdict, *values: str) -> bool:
        """A call that ends at once, if it may begin."""
        asked = self.ask(*values)
        if isinstance(asked, Permit):
            asked.end(verdict, 0.1, self.clock.now())
            return True
        return False

    def mixed(self, seconds: float, *bad: str, every_s: float = 0.1) -> None:
        """Visa, Mastercard and Amex in turn; those named fail."""
        for index in range(int(seconds / every_s)):
            scheme = ("visa", "mastercard", "amex")[index % 3]
            self.one(FAILED if scheme in bad else GOOD, scheme)
            self.clock.advance(every_s)

    def states(self) -> dict[str, str]:
        """Of all slices that are not closed; the broad one is called all."""
        return {
            row["part"] or "all": row["state"]
            for row in self.made.report()
            if row["state"] != "closed" and row["upstream"] == "a"
        }

"""The contract of a store: rows, changed one at a time, durable when the call returns.

A store decides nothing. It reads a row, asks `transitions` what becomes of it,
and writes that, so that no other change can come between: the rules about money
are in one place and the same for every store. tests/contract runs one suite
over all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from proxy.idempotency.record import Claim, Instant, Record, State, Step, Verdict
from proxy.model.affinity import Place
from proxy.model.unsettled import Unsettled

SealAgain = Callable[[bytes, bytes], bytes | None]
"""(row, sealed answer) -> the answer sealed anew, or None where it stays as it is."""
NAMED_MAX = 1000
"""Rows that one key, or the beginning of an id, names at most."""


class StoreUnavailable(Exception):
    """The change may or may not be stored; whoever asked must assume the worse of the two."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which rows: by state, partner and wall time of the last change; oldest first."""

    states: tuple[State, ...] = tuple(State)
    partner: str | None = None
    changed_from: float = 0.0
    changed_to: float = float("inf")
    blocked: bool = False
    """Only rows under whose key later calls were blocked."""
    limit: int = 1000
    after: tuple[float, bytes] = (0.0, b"")
    """(changed_at, id) of the last row of the page before."""
    mine: bool = False
    """Only rows that this run is to look after; those of other live sidecars are theirs."""


class Store(Protocol):
    """Where rows are kept. Every method may raise StoreUnavailable."""

    @property
    def takes_claims(self) -> bool:
        """Whether there is room for anything new; steps of what was begun are taken longer."""

    def waiting_s(self) -> float:
        """How long the oldest change has been waiting to become durable; 0.0 when none is."""

    def instant(self) -> Instant:
        """Now by the store's clock, which all who share the store go by; never too early."""

    def claim(self, wanted: Claim) -> Awaitable[tuple[Verdict, Record]]:
        """Take a key if it is free; the verdict and the row as it stands. Raises JournalError."""

    def step(self, row_id: bytes, token: int, made: Step) -> Awaitable[Record]:
        """Change a row under the token of its claim. Raises Superseded, JournalError."""

    async def read(self, row_id: bytes) -> Record | None:
        """A row as it stands."""

    async def find(self, query: Query) -> Sequence[Record]:
        """Rows by state, partner and time."""

    async def named(self, key: str) -> Sequence[Record]:
        """The rows with this key, in whatever scope, and those whose id in hexadecimal begins
        so (with six digits or more); NAMED_MAX at most. It reads few rows of many.
        """

    async def linked(self, link: bytes) -> Sequence[Place]:
        """Where the calls are that made a payment, or may have, and have this link: PLACES_MAX of
        them at most.
        """

    async def unsettled(self, before: float) -> Sequence[Unsettled]:
        """How many calls have no end, by state, upstream and operation; `old` are those that
        were sent before that instant (wall). It reads nothing of what has ended.
        """

    async def counts(self) -> dict[State, int]:
        """How many rows there are, by state."""

    async def purge(self, kept_s: float, limit: int) -> int:
        """Delete up to `limit` rows that have been settled or released for longer; how many."""

    async def note_blocked(self, counts: Mapping[bytes, tuple[int, float]]) -> None:
        """Add to rows how many more calls were blocked by them, and when (wall) the last one was.

        State and token stay as they are; a row that is not there is passed over.
        """

    async def reseal(self, seal_again: SealAgain, limit: int, after: bytes) -> tuple[bytes, int]:
        """Seal the answers of up to `limit` rows anew, from where the last asking got: `after`,
        b"" at the beginning.

        (where it got, or b"" at the end; how many answers were changed). The first four bytes of
        where it got say how far that is, as a share of 2**32.
        """

    async def close(self) -> None:
        """Finish what was begun and let go of the store."""

"""The contract of a store: rows, changed one at a time, durable when the call returns.

A store decides nothing. It reads a row, asks `transitions` what becomes of it,
and writes that, so that no other change can come between: the rules about money
are in one place and the same for every store. tests/contract runs one suite
over all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from proxy.idempotency.record import Claim, Instant, Record, State, Step, Verdict


class StoreUnavailable(Exception):
    """The change may or may not be stored; whoever asked must assume the worse of the two."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which rows: by state, partner and wall time of the last change; oldest first."""

    states: tuple[State, ...] = tuple(State)
    partner: str | None = None
    changed_from: float = 0.0
    changed_to: float = float("inf")
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

    async def counts(self) -> dict[State, int]:
        """How many rows there are, by state."""

    async def purge(self, kept_s: float, limit: int) -> int:
        """Delete up to `limit` rows that have been settled or released for longer; how many."""

    async def close(self) -> None:
        """Finish what was begun and let go of the store."""

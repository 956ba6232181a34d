"""A store in memory whose every change can be held back or refused."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from proxy.idempotency import transitions
from proxy.idempotency.record import Claim, Fence, Instant, Record, State, Step, Verdict
from proxy.idempotency.store import Query, SealAgain, StoreUnavailable
from proxy.model.affinity import Place
from proxy.model.unsettled import Unsettled
from tests.support.manual_clock import ManualClock


class MemoryStore:
    """Keeps rows by the same transitions; `clock` dates them."""

    def __init__(self, clock: ManualClock) -> None:
        self.rows: dict[bytes, Record] = {}
        self.steps: list[Step] = []
        self.clock = clock
        self.takes_claims = True
        self.down = False
        """Every change is refused."""
        self.down_after_claims = False
        """It goes down as soon as a key was claimed."""
        self.taken_over = False
        """Another sidecar takes each key over as soon as it was claimed and fenced."""
        self.gate: asyncio.Event | None = None
        """Changes wait for it, and are made then."""
        self.waited_s = 0.0
        self.closed = False

    def waiting_s(self) -> float:
        return self.waited_s

    def instant(self) -> Instant:
        return Instant(self.clock.wall(), self.clock.now())

    async def _turn(self) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.down:
            raise StoreUnavailable

    async def claim(self, wanted: Claim) -> tuple[Verdict, Record]:
        await self._turn()
        verdict, row = transitions.claim(self.rows.get(wanted.id), wanted, self.instant())
        if verdict is Verdict.RUN and row.state is State.SENDING:
            self.steps.append(
                Fence(row.attempt, row.partner, row.upstream, row.partner_key, row.send_by)
            )
        self.rows[row.id] = replace(row, token=row.token + 1) if self.taken_over else row
        self.down = self.down or self.down_after_claims
        return verdict, row

    async def step(self, row_id: bytes, token: int, made: Step) -> Record:
        await self._turn()
        row = transitions.step(self.rows.get(row_id), token, made, self.instant())
        self.rows[row_id] = row
        self.steps.append(made)
        return row

    async def read(self, row_id: bytes) -> Record | None:
        return self.rows.get(row_id)

    async def find(self, query: Query) -> Sequence[Record]:
        if self.down:
            raise StoreUnavailable
        rows = [
            row
            for row in self.rows.values()
            if row.state in query.states
            and (row.changed_at, row.id) > query.after
            and (row.blocked or not query.blocked)
            and row.changed_at >= query.changed_from
        ]
        return sorted(rows, key=lambda row: (row.changed_at, row.id))[: query.limit]

    async def named(self, key: str) -> Sequence[Record]:
        if self.down:
            raise StoreUnavailable
        return [
            row
            for row in self.rows.values()
            if row.scope.key == key or (len(key) >= 6 and row.id.hex().startswith(key.lower()))
        ]

    async def linked(self, link: bytes) -> Sequence[Place]:
        if self.down:
            raise StoreUnavailable
        made = (State.IN_DOUBT, State.SETTLED)
        return [
            (row.partner, row.upstream)
            for row in self.rows.values()
            if link in (row.link_request, row.link_answer) and row.state in made
        ]

    async def unsettled(self, before: float) -> Sequence[Unsettled]:
        if self.down:
            raise StoreUnavailable
        open_states = (State.CLAIMED, State.SENDING, State.IN_DOUBT)
        kinds: dict[tuple[str, str, str, str], list[float]] = {}
        for row in self.rows.values():
            if row.state in open_states:
                kind = (row.state.value, row.partner, row.upstream, row.scope.operation)
                kinds.setdefault(kind, []).append(row.sent_at or row.claimed_at)
        return [
            Unsettled(*kind, len(found), min(found), sum(each < before for each in found))
            for kind, found in kinds.items()
        ]

    async def note_blocked(self, counts: Mapping[bytes, tuple[int, float]]) -> None:
        await self._turn()
        for row_id, (number, at) in counts.items():
            row = self.rows.get(row_id)
            if row is not None:
                last = max(at, row.blocked_at)
                self.rows[row_id] = replace(row, blocked=row.blocked + number, blocked_at=last)

    async def reseal(self, seal_again: SealAgain, limit: int, after: bytes) -> tuple[bytes, int]:
        raise AssertionError(f"not asked for: {seal_again}, {limit}, {after!r}")

    async def counts(self) -> dict[State, int]:
        states = [row.state for row in self.rows.values()]
        return {state: states.count(state) for state in set(states)}

    async def purge(self, kept_s: float, limit: int) -> int:
        raise AssertionError(f"not asked for: {kept_s}, {limit}")

    async def close(self) -> None:
        self.closed = True

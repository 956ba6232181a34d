"""The layer that gives each key to one run at a time, and remembers how it ended.

It stands above every timeout, so that it always learns the ending. A run, once
begun, belongs to the journal and not to the caller's socket: a caller that hangs
up, or is cancelled, stops waiting and nothing else.

    the key is          the caller gets
    free                its own run
    at work             the first run's answer if it comes within `wait`, else 409
    settled             the stored answer, marked Tidegate-Replayed
    in doubt            a repetition at the same partner under the same key, where
                        that partner makes it safe and its window is open; else 409
    used otherwise      422, nothing is sent
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Sequence
from contextlib import suppress

from proxy.idempotency import refusals
from proxy.idempotency.asked import claim_of, key_of, ticket_of
from proxy.idempotency.conclude import ending
from proxy.idempotency.fence import TAKEN_OVER, begins_by
from proxy.idempotency.journal import Conclusion, Journal
from proxy.idempotency.links import link, of_answer
from proxy.idempotency.record import (
    TAKEN,
    Doubt,
    JournalError,
    Record,
    Release,
    Settle,
    Step,
    Verdict,
)
from proxy.idempotency.runs import Run
from proxy.idempotency.seal import Sealer, SealError, unpack
from proxy.idempotency.settling import SETTLED_BY
from proxy.idempotency.store import StoreUnavailable
from proxy.model.affinity import Name, Place
from proxy.model.call import SAFE_METHODS, Attempt, Call, Ticket
from proxy.model.clock import Clock
from proxy.model.events import LateEnding
from proxy.model.message import Response
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused
from proxy.model.phase import Phase
from proxy.model.route import Idempotency
from proxy.pipeline.layer import Handler, Layer, Ready

_POLL_S = 0.1


class Claims:
    """The layer and what belongs to it; `owner` names this run of the sidecar in the journal."""

    def __init__(
        self, journal: Journal, sealer: Sealer, secret: bytes, owner: str, clock: Clock
    ) -> None:
        self._journal = journal
        self._sealer = sealer
        self._secret = secret
        self._owner = owner
        self._clock = clock
        self._bits = random.Random().getrandbits  # noqa: S311 - unique, not secret

    def layer(self) -> Layer:
        """Calls of routes without keys, and calls that cannot move anything, pass through."""

        def layer(inner: Handler) -> Handler:
            def handle(call: Call) -> Awaitable[Outcome]:
                assert call.route is not None
                rule = call.route.idempotency
                if rule is None or call.request.method in SAFE_METHODS:
                    return inner(call)
                key = key_of(call, rule, self._secret)
                if key is None:
                    return inner(call)
                return (
                    Ready(key) if isinstance(key, Refused) else self._keyed(call, rule, key, inner)
                )

            return handle

        return layer

    async def find(self, name: Name) -> Sequence[Place] | None:
        """Where calls by a payment's name are; None if the journal cannot be read."""
        try:
            return await self._journal.linked(link(self._secret, name))
        except (StoreUnavailable, JournalError):
            return None

    # -- what becomes of it ----------------------------------------------------------

    async def _keyed(self, call: Call, rule: Idempotency, key: str, inner: Handler) -> Outcome:
        assert call.route is not None
        deadline_at = call.arrived_at + call.route.deadline_s
        ends_at = min(self._clock.now() + rule.wait_s, deadline_at)
        while True:
            now = self._clock.now()
            first = call.candidates[0] if call.candidates else None
            send_by = now if first is None else begins_by(first, deadline_at, now)
            wanted = claim_of(
                call, rule, key, self._secret, self._owner, self._bits(32),
                self._journal.store.instant().wall + send_by - now,
            )  # fmt: skip
            try:
                verdict, row = await self._journal.claim(wanted)
            except StoreUnavailable:
                return refusals.UNREAD
            if verdict is not Verdict.BUSY:
                break
            left_s = ends_at - self._clock.now()
            if left_s <= 0:
                break
            await self._journal.runs.wait_for(row.id, left_s, _POLL_S)
        if verdict in TAKEN:
            call.ticket = ticket_of(call.route, row, send_by, resend=verdict is Verdict.RESEND)
            run = self._journal.runs.begin(row.id)
            work = self._run(call, call.ticket, inner, run)
            return await self._journal.outlive(work, run.told)
        call.about = row.id
        self._journal.blocked.note(row.id, 1, self._clock.wall())
        if verdict is Verdict.REPLAY:
            return self._replay(row)
        if verdict is Verdict.IN_DOUBT:
            return refusals.in_doubt(row, self._clock.wall())
        return refusals.MISMATCH if verdict is Verdict.MISMATCH else refusals.BUSY

    def _replay(self, row: Record) -> Outcome:
        if not row.answer:
            return refusals.without_answer(row)
        try:
            answer = unpack(self._sealer.open(row.id, row.answer))
        except SealError:
            return refusals.UNREADABLE
        return Answered(
            row.partner, row.upstream, answer, Execution.DONE, row.reason, replayed=True,
            settled_by=SETTLED_BY.get(row.reason, ""),
        )  # fmt: skip

    async def _run(self, call: Call, ticket: Ticket, inner: Handler, run: Run) -> Outcome:
        try:
            try:
                return await self._conclude(call, ticket, await inner(call))
            except Exception:
                with suppress(JournalError):  # it has ended already
                    made = _after_bug(call, ticket)
                    await self._journal.conclude(ticket.row_id, ticket.token, made)
                raise
        finally:
            ticket.concluded = True
            self._journal.runs.end(run)
            if call.attempts and call.attempts[-1].late is not None:
                self._learn(call, ticket, call.attempts[-1])

    async def _conclude(self, call: Call, ticket: Ticket, outcome: Outcome) -> Outcome:
        """Write the ending; the caller hears of an answer only when it is durable."""
        made = self._ending(call, ticket, outcome, call.attempts)
        written = Conclusion.DURABLE
        if made is not None:
            written = await self._journal.conclude(
                ticket.row_id, ticket.token, made, ticket.attempt
            )
        if written is Conclusion.TAKEN_OVER and outcome.execution is Execution.NONE:
            return TAKEN_OVER  # this run did nothing, but the one that has the key may have
        stored = written is Conclusion.DURABLE
        if isinstance(made, Settle) and not stored and isinstance(outcome, Answered):
            return InDoubt(
                outcome.partner, outcome.upstream, Phase.BODY, "journal_unavailable", Origin.PROXY
            )
        if ticket.resend and not isinstance(made, Settle):
            return refusals.still_in_doubt(call, outcome)
        return outcome

    def _ending(
        self, call: Call, ticket: Ticket, outcome: Outcome, attempts: Sequence[Attempt] = ()
    ) -> Step | None:
        if not isinstance(outcome, Answered) or outcome.execution is Execution.NONE:
            return ending(ticket, outcome, b"", attempts)
        sealed = self._sealer.seal_answer(ticket.row_id, outcome.response)
        known_by = of_answer(call, outcome.response, self._secret)
        return ending(ticket, outcome, sealed, attempts, known_by)

    # -- what comes late --------------------------------------------------------------

    def late(self, event: LateEnding) -> None:
        """An attempt ended after its caller was answered in doubt."""
        ticket = event.call.ticket
        if ticket is not None and ticket.concluded:
            self._learn(event.call, ticket, event.attempt)

    def _learn(self, call: Call, ticket: Ticket, attempt: Attempt) -> None:
        """Settle what was in doubt, if the late ending is an answer that says so."""
        answer = attempt.late
        if not isinstance(answer, Response) or not ticket.fenced:
            return
        assert attempt.late_outcome is not None
        made: Step | None = None
        outcome = attempt.late_outcome
        if isinstance(outcome, Answered):
            made = self._ending(call, ticket, outcome)
        if isinstance(made, Settle):
            self._journal.own(
                self._journal.conclude(ticket.row_id, ticket.token, made, ticket.attempt)
            )


def _after_bug(call: Call, ticket: Ticket) -> Step:
    return Doubt("bug") if call.sent or ticket.resend else Release("bug")

"""Asks partners what became of calls in doubt, or undoes them, until somebody knows.

One look at the rows in doubt after another, and for each upstream one task at
work on the rows that are due there, so that a partner that hangs keeps nobody
else waiting. Each row is asked about at once, then after growing waits with
jitter, so a partner that is coming back is not besieged; after `attempts_max`
questions it is given up, which is written on the row and told.

What is found ends the row under its token: if the application has begun to
repeat the call meanwhile, the news is dropped, and the repetition learns for
itself. A reversal takes the row over before its first byte, durably, so that no
late answer can pass for a success that was undone. Nothing else needs to
survive a restart, since the rows do.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from proxy.idempotency import inquiry, reversal
from proxy.idempotency.journal import Journal
from proxy.idempotency.looking import Looking
from proxy.idempotency.record import JournalError, Record, Release, Settle, Step, Superseded
from proxy.idempotency.seal import Sealer
from proxy.idempotency.settling import Mark, Reverse, Settling
from proxy.idempotency.store import StoreUnavailable
from proxy.idempotency.watches import Watch, Watches
from proxy.model.clock import Clock
from proxy.model.events import Bug, Emit, SettleGaveUp
from proxy.model.outcome import Answered, Execution, Outcome
from proxy.model.settling import Inquiry, Question, Reversal, SettleRule
from proxy.pipeline.observe import where

Ask = Callable[[str, Question], Awaitable[Outcome]]
"""(upstream, question) -> how that ended."""
Rules = Mapping[tuple[str, str], SettleRule]
"""By upstream and operation."""

_LOOK_EVERY_S = 1.0
_AT_ONCE = 4
_WORK_S = 5.0


class Settler:
    """`run` until it is cancelled."""

    def __init__(
        self,
        journal: Journal,
        sealer: Sealer,
        rules: Rules,
        ask: Ask,
        clock: Clock,
        rng: random.Random,
        *,
        attempts_max: int,
        emit: Emit,
    ) -> None:
        self._journal = journal
        self._sealer = sealer
        self._rules = {key: rule for key, rule in rules.items() if rule.inquiry or rule.reversal}
        self._ask = ask
        self._clock = clock
        self._attempts_max = attempts_max
        self._emit = emit
        self._watches = Watches(rng)
        self._looking = Looking(journal.store, clock.now, self._watches, self._is_open)

    def _wall(self) -> float:
        return self._journal.store.instant().wall  # rows are dated by it

    async def run(self) -> None:
        """Look after look; a journal that cannot be read is tried again."""
        busy: dict[str, asyncio.Future[None]] = {}
        try:
            while self._rules:
                try:
                    due = await self._looking.due()
                except StoreUnavailable:
                    due = {}
                for upstream, rows in due.items():
                    if upstream not in busy or busy[upstream].done():
                        busy[upstream] = asyncio.ensure_future(self._settle_some(rows))
                        busy[upstream].add_done_callback(self._worked)
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            for work in busy.values():
                work.cancel()

    def _worked(self, work: asyncio.Future[None]) -> None:
        error = None if work.cancelled() else work.exception()
        if error is not None:
            self._emit(Bug(type(error).__name__, where(error)))

    async def settle_all(self) -> None:
        """One look, and all that is due."""
        due = await self._looking.due()
        await asyncio.gather(*(self._settle_some(rows) for rows in due.values()))

    async def _settle_some(self, rows: list[Record]) -> None:
        """For a while: what is left is due at the next look, too, which sees it as it is then."""
        ends_at = self._clock.now() + _WORK_S
        for begin in range(0, len(rows), _AT_ONCE):
            if self._clock.now() >= ends_at:
                return
            await asyncio.gather(*(self.settle(row) for row in rows[begin : begin + _AT_ONCE]))

    def _is_open(self, row: Record) -> bool:
        """Whether there is anything that we may do about a row in doubt."""
        rule = self._rules.get((row.upstream, row.scope.operation))
        if rule is None or not row.reference:
            return False
        if row.settling == Settling.REVERSING:
            return rule.reversal is not None
        return row.settling in (Settling.NOTHING, Settling.ABSENT)

    async def settle(self, row: Record) -> None:
        """Ask about one row, or reverse it, and write what that proves."""
        rule = self._rules[row.upstream, row.scope.operation]
        watch = self._watches.of(row, self._clock.now())
        try:
            if rule.reversal is not None:
                made = await self._reverse(row, rule.reversal, watch)
            else:
                assert rule.inquiry is not None
                made = await self._inquire(row, rule.inquiry, watch, rule.resend_when_absent)
            if made is None or isinstance(made, Mark):
                self._ask_later(watch)
                made = self._giving_up(row, watch) or made
            if made is not None:
                await self._journal.step(row.id, watch.token, made)
                self._told(row, watch, made)
        except (Superseded, StoreUnavailable, JournalError):
            self._ask_later(watch)  # somebody was faster, or the journal is away

    def _ask_later(self, watch: Watch) -> None:
        now = self._clock.now()
        if now >= watch.again_at:
            self._watches.back_off(watch, now)

    # -- inquiries ---------------------------------------------------------------------

    async def _inquire(
        self, row: Record, asked: Inquiry, watch: Watch, resend_when_absent: bool
    ) -> Step | None:
        watch.asked += 1
        outcome = await self._ask(
            row.upstream, replace(inquiry.question(asked, row.reference), about=row.id)
        )
        if not isinstance(outcome, Answered):
            return None
        answer = outcome.response
        age_s = min(self._wall() - row.changed_at, self._clock.now() - watch.since)
        said = (answer.status, answer.body)
        proven = inquiry.conclusion(asked, *said, age_s, alone=row.attempt <= 1)
        if proven is Execution.DONE:
            sealed = self._sealer.seal_answer(row.id, answer)
            return Settle(answer.status, "found_by_inquiry", sealed)
        if proven is Execution.NONE:
            return Release("absent_by_inquiry", of_all=True)
        early = resend_when_absent and row.settling == Settling.NOTHING
        return Mark(Settling.ABSENT) if early and inquiry.absent(asked, *said) else None

    # -- reversals ---------------------------------------------------------------------

    async def _reverse(self, row: Record, chosen: Reversal, watch: Watch) -> Step | None:
        """Send one reversal, if it is time; None unless it ended the matter."""
        now = self._clock.now()
        if row.settling != Settling.REVERSING:
            left_s = chosen.after_s - max(self._wall() - row.changed_at, now - watch.since)
            if left_s > 0:
                watch.again_at = now + left_s
                return None
        if watch.ended is None:
            watch.ended = await self._send_reversal(row, chosen, watch)
        if watch.ended is not None and self._clock.now() < watch.clear_at:
            watch.again_at = watch.clear_at
            return None
        return watch.ended

    async def _send_reversal(self, row: Record, chosen: Reversal, watch: Watch) -> Release | None:
        """Its intent is durable before its first byte. How it ended, if it ended the matter.

        A reversal that may still be on its way must not meet a later payment with
        the same reference: the key is not freed before it had time to arrive.
        """
        taken = await self._journal.step(row.id, watch.token, Reverse())
        watch.token = taken.token
        if watch.begun_elsewhere:
            watch.begun_elsewhere = False
            watch.clear_at = self._clock.now() + chosen.absent_after_s
        watch.asked += 1
        outcome = await self._ask(
            row.upstream, replace(reversal.question(chosen, taken), about=row.id)
        )
        now = self._clock.now()
        if outcome.execution is Execution.UNKNOWN:
            watch.clear_at = now + chosen.absent_after_s
        if not isinstance(outcome, Answered):
            return None
        return reversal.proven(
            chosen,
            outcome.response.status,
            now - watch.since,
            alone=row.attempt <= 1,
            lost=watch.clear_at > 0.0,
        )

    # -- ends ----------------------------------------------------------------------------

    def _giving_up(self, row: Record, watch: Watch) -> Mark | None:
        if watch.asked < self._attempts_max or watch.ended is not None:
            return None
        begun = watch.token != row.token or row.settling == Settling.REVERSING
        if begun:
            return Mark(Settling.UNREVERSED, f"gave up after {watch.asked} reversals")
        return Mark(Settling.GAVE_UP, f"gave up after {watch.asked} inquiries")

    def _told(self, row: Record, watch: Watch, made: Step) -> None:
        if isinstance(made, Mark) and made.settling is Settling.ABSENT:
            return
        self._watches.forget(row.id)
        if isinstance(made, Mark):
            what = (row.partner, row.upstream, row.scope.operation, row.id.hex(), watch.asked)
            self._emit(SettleGaveUp(*what))

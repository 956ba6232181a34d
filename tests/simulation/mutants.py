"""Journals with one mistake each, which the machine must find."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

from proxy.idempotency import asked, transitions
from proxy.idempotency.journal import Conclusion, Journal
from proxy.idempotency.record import Claim, Fence, Instant, Record, Step, Verdict
from proxy.routing import failover
from tests.simulation import store

Mutation = Callable[[], Any]
"""A context in which the mistake is made."""


@contextmanager
def _fence_is(mutant: Callable[..., Any]) -> Iterator[None]:
    """Every attempt has a fence of its own, and that one is made so."""
    claim_of = asked.claim_of

    def unfenced(*given: Any) -> Any:
        return replace(claim_of(*given), fence=None)

    with (
        mock.patch("proxy.idempotency.claim.claim_of", unfenced),
        mock.patch.object(Journal, "step", mutant),
    ):
        yield


def fence_skipped() -> Any:
    """Attempts go out, and the journal hears of them only at their end."""
    step = Journal.step

    async def mutant(self: Journal, row_id: bytes, token: int, made: Step) -> Record | None:
        return None if isinstance(made, Fence) else await step(self, row_id, token, made)

    return _fence_is(mutant)


def sent_before_the_claim_is_durable() -> Any:
    """The first fence is written with the claim, but nobody waits for it."""
    claim = Journal.claim

    async def mutant(self: Journal, wanted: Claim) -> tuple[Verdict, Record]:
        row = await self.store.read(wanted.id)
        verdict, after = transitions.claim(row, wanted, self.store.instant())
        if verdict is Verdict.RUN:
            self.own(claim(self, wanted))
        return verdict, after

    return mock.patch.object(Journal, "claim", mutant)


def sent_before_the_fence_is_durable() -> Any:
    """The fence is written, but nobody waits for it."""
    step = Journal.step

    async def mutant(self: Journal, row_id: bytes, token: int, made: Step) -> Record | None:
        if isinstance(made, Fence):
            self.own(step(self, row_id, token, made))
            return None
        return await step(self, row_id, token, made)

    return _fence_is(mutant)


def answered_before_it_is_durable() -> Any:
    """The ending is written a little later, and the caller need not wait for it."""
    conclude = Journal.conclude

    async def later(self: Journal, *told: Any) -> None:
        await asyncio.sleep(0.02)
        await conclude(self, *told)

    async def mutant(self: Journal, *told: Any) -> Conclusion:
        self.own(later(self, *told))
        return Conclusion.DURABLE

    return mock.patch.object(Journal, "conclude", mutant)


def fingerprint_ignored() -> Any:
    """Any request passes for the first one under its key."""
    claim_of = asked.claim_of

    def mutant(*given: Any) -> Any:
        return replace(claim_of(*given), fingerprint=b"f" * 32)

    return mock.patch("proxy.idempotency.claim.claim_of", mutant)


def resent_blindly() -> Any:
    """What is in doubt is sent again, whether or not the partner knows keys."""
    return mock.patch.object(transitions, "_resendable", return_value=True)


def window_ignored() -> Any:
    """A partner's keys are believed to be remembered for ever."""

    def mutant(row: Record, wanted: Any, now: Instant) -> bool:
        return row.upstream in wanted.resend_s and wanted.resend_s[row.upstream] > 0

    return mock.patch.object(transitions, "_resendable", mutant)


def token_ignored() -> Any:
    """A run that was taken over may still change the row."""
    step = transitions.step

    def mutant(row: Record | None, token: int, made: Step, now: Instant) -> Record:
        return step(row, token if row is None else row.token, made, now)

    return mock.patch.object(transitions, "step", mutant)


def lease_ignored() -> Any:
    """A run that is only stopped is taken for dead, whatever it may still send."""
    return mock.patch.object(store, "MARGIN_S", -1e9)


def pin_ignored() -> Any:
    """A repetition goes where new payments go."""
    return mock.patch.object(failover, "_pinned", return_value=None)


MUTANTS: dict[str, tuple[Mutation, str]] = {
    each.__name__: (each, rule)
    for each, rule in (
        (fence_skipped, "I6"),
        (sent_before_the_fence_is_durable, "I6"),
        (sent_before_the_claim_is_durable, "I5|I6"),
        (answered_before_it_is_durable, "I4|I6"),
        (fingerprint_ignored, "I3"),
        (resent_blindly, "I5"),
        (window_ignored, "I5"),
        (token_ignored, "I6"),
        (lease_ignored, "I5|I6"),
        (pin_ignored, "I5"),
    )
}
"""By name: the mistake, and the rule by which it is found."""

"""The reckoning of INC-15 is checked: a sidecar with one rule broken must be caught.

Each mutant breaks one rule of the journal and is played the same story as the
product. The product comes out clean, and the mutant is named by the figure that
stands for its wrong. `synchronous=NORMAL` is caught by INC-24 itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from loadtests.incidents.payments import Payment
from loadtests.incidents.reckoning import reckon
from proxy.idempotency import asked, claim, embedded, transitions
from proxy.idempotency.claim import Claims
from proxy.idempotency.journal import Journal
from proxy.idempotency.record import Fence
from proxy.model.call import Call, Ticket
from proxy.model.outcome import Outcome
from proxy.model.route import Candidate
from proxy.pipeline.layer import AttemptHandler, AttemptLayer
from tests.support.journalled import Journalled

Story = Callable[[Journalled], Awaitable[None]]
Mutate = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Callable[[], Journalled]]:
    """Builds the world of one story, and takes it down."""
    made: list[Journalled] = []

    def build() -> Journalled:
        made.append(Journalled(tmp_path))
        return made[-1]

    yield build
    for each in made:
        await each.close()


# -- stories -----------------------------------------------------------------------------------


async def killed_at_the_charge(world: Journalled) -> None:
    """The partner executes, the sidecar dies in that instant, and the caller asks again."""
    world.dies_at_execution = True
    payment = Payment("pay-1", "acme", 100, "/psp/charges")
    await world.pay(payment)
    await world.pay(payment)


async def killed_after_the_answer(world: Journalled) -> None:
    """The caller has its answer when the sidecar dies, and later wants to read it again."""
    payment = Payment("pay-1", "acme", 100, "/psp/charges")
    assert (await world.pay(payment)).execution == "done"
    world.die()
    payment.reread = await world.pay(payment)


async def key_of_another_payment(world: Journalled) -> None:
    """The application has a bug, and uses one key for two amounts."""
    first = Payment("pay-1", "acme", 100, "/psp/charges")
    await world.pay(first)
    await world.pay(Payment("pay-1", "acme", 900, "/psp/charges"))
    first.reread = await world.pay(first)


# -- mutants -----------------------------------------------------------------------------------


def send_before_sync(patch: pytest.MonkeyPatch) -> None:
    """The intent is written when the answer is there."""

    def fence(journal: Journal, now: Callable[[], float]) -> AttemptLayer:
        def layer(inner: AttemptHandler) -> AttemptHandler:
            async def fenced(call: Call, candidate: Candidate) -> Outcome:
                outcome = await inner(call, candidate)
                assert call.ticket is not None
                call.ticket.fenced = True
                call.ticket.attempt += 1
                upstream = candidate.upstream
                intent = Fence(
                    call.ticket.attempt, upstream.partner, upstream.name, "", now() + 1.0
                )
                await journal.step(call.ticket.row_id, call.ticket.token, intent)
                return outcome

            return fenced

        return layer

    claim_of = asked.claim_of
    patch.setattr(claim, "claim_of", lambda *given: replace(claim_of(*given), fence=None))
    patch.setattr(embedded, "fence", fence)


def answer_before_sync(patch: pytest.MonkeyPatch) -> None:
    """The caller hears of the answer, and the disk some time later."""
    conclude = Claims._conclude

    async def later(self: Claims, call: Call, ticket: Ticket, outcome: Outcome) -> Outcome:
        async def write() -> None:
            await asyncio.Event().wait()
            await conclude(self, call, ticket, outcome)

        self._journal.own(write())
        return outcome

    patch.setattr(Claims, "_conclude", later)


def fingerprint_ignored(patch: pytest.MonkeyPatch) -> None:
    """A key alone makes two payments the same."""
    patch.setattr(asked, "fingerprint", lambda *_: bytes(32))


def blind_resend(patch: pytest.MonkeyPatch) -> None:
    """What is in doubt is sent again, whether or not the partner knows a key again."""
    patch.setattr(transitions, "_resendable", lambda *_: True)


MUTANTS = [
    (send_before_sync, killed_at_the_charge, "dup"),
    (answer_before_sync, killed_after_the_answer, "lost"),
    (fingerprint_ignored, key_of_another_payment, "mixed"),
    (blind_resend, killed_at_the_charge, "dup"),
]


@pytest.mark.parametrize("story", [killed_at_the_charge, killed_after_the_answer,
                                   key_of_another_payment])  # fmt: skip
async def test_the_product_comes_out_clean(house: Callable[[], Journalled], story: Story) -> None:
    """Three records agree after each story: what catches a mutant does not cry wolf."""
    world = house()
    await story(world)
    assert reckon(world.payments, world.executions, world.rows()).clean


@pytest.mark.parametrize(("mutate", "story", "figure"), MUTANTS)
async def test_each_mutant_is_caught(
    house: Callable[[], Journalled],
    monkeypatch: pytest.MonkeyPatch,
    mutate: Mutate,
    story: Story,
    figure: str,
) -> None:
    """The wrong that the broken rule does is found, by the figure that is named for it."""
    mutate(monkeypatch)
    world = house()
    await story(world)
    found = asdict(reckon(world.payments, world.executions, world.rows()))
    assert found[figure] == 1

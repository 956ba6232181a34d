"""Rules for a check of the pool: a connection like a call's, that is closed right away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proxy.model.message import Failure
from proxy.model.phase import Phase
from tests.unit.http1.fakes import VirtualLoop
from tests.unit.http1.partner import Partner
from tests.unit.http1.test_pool import counts


@pytest.fixture
def partner(loop: VirtualLoop) -> Iterator[Partner]:
    """A pool of two connections."""
    with Partner(loop).connecting() as partner:
        yield partner


def test_a_connection_that_stands_is_closed_and_forgotten(
    partner: Partner, loop: VirtualLoop
) -> None:
    """It has a place while it is opened, and leaves nothing behind."""
    task = loop.create_task(partner.pool.check(loop.time() + 5.0))
    counts(partner, opening=1)
    partner.admit()
    counts(partner)
    assert task.result() is None


def test_it_waits_for_no_place_and_takes_none_from_a_call(
    partner: Partner, loop: VirtualLoop
) -> None:
    """A full pool says nothing about the partner."""
    partner.idle(2)
    task = loop.create_task(partner.pool.check(loop.time() + 5.0))
    loop.settle()
    assert task.result() == Failure(Phase.QUEUE, "pool_full", sent=False)


@pytest.mark.parametrize(("how", "reason"), [("refused", "refused"), ("hung up", "spoke_first")])
def test_why_there_was_none_is_told(
    partner: Partner, loop: VirtualLoop, how: str, reason: str
) -> None:
    """A partner that hangs up at once takes no calls, as a call would find."""
    task = loop.create_task(partner.pool.check(loop.time() + 5.0))
    loop.settle()
    partner.admit(how)
    counts(partner)
    assert task.result() == Failure(Phase.CONNECT, reason, sent=False)

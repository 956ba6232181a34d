"""Rules for which rows are due."""

from __future__ import annotations

import random
from dataclasses import replace

from proxy.idempotency.record import State
from proxy.idempotency.settling import Settling
from proxy.idempotency.watches import WAIT_MAX_S, Watches
from tests.unit.idempotency.values import row

ROW = row(State.IN_DOUBT)


def test_a_row_is_due_at_once_and_then_less_and_less_often() -> None:
    """Waits grow, with jitter, up to a bound."""
    watches, now = Watches(random.Random(1)), 100.0
    assert not watches.any_due(now)
    watch = watches.of(ROW, now)
    waits = []
    for _ in range(10):
        assert watches.any_due(now)
        watches.back_off(watch, now)
        assert not watches.any_due(now)
        waits.append(watch.again_at - now)
        now = watch.again_at
    assert all(min(2**n, WAIT_MAX_S) / 2 <= wait <= WAIT_MAX_S for n, wait in enumerate(waits))
    assert watches.of(ROW, now) is watch
    assert watch.since == 100.0


def test_a_row_that_was_taken_over_is_another_matter() -> None:
    """Its age begins anew, and what was sent for it is not known."""
    watches = Watches(random.Random(1))
    first = watches.of(ROW, 1.0)
    watches.back_off(first, 1.0)
    second = watches.of(replace(ROW, token=99, settling=Settling.REVERSING.value), 2.0)
    assert (second.since, second.again_at, second.begun_elsewhere) == (2.0, 0.0, True)
    assert not first.begun_elsewhere


def test_what_is_over_is_forgotten() -> None:
    """Memory is bounded by the rows in doubt."""
    watches = Watches(random.Random(1))
    for number in range(3):
        watches.of(replace(ROW, id=bytes([number]) * 16), 0.0)
    watches.keep({bytes([1]) * 16})
    assert watches.any_due(0.0)
    watches.forget(bytes([1]) * 16)
    watches.forget(b"unknown")
    assert not watches.any_due(0.0)

"""`proxy.telemetry.origins`: what comes later is linked to what came first."""

from __future__ import annotations

from proxy.telemetry.origins import Origins
from tests.support.values import call
from tests.unit.telemetry.traced import done, ended, keyed


def test_a_replay_is_linked_to_the_call_that_was_sent() -> None:
    """By the journal's row, whatever its own trace is."""
    origins, first, replay = Origins(), keyed(ended(done()).call), call()
    origins.remember(first, b"5" * 16)
    replay.about = b"r" * 16
    assert origins.link(replay) == (first.trace_id, b"5" * 16)
    assert origins.link(keyed(call())) == (first.trace_id, b"5" * 16)


def test_the_first_sending_stays_the_first() -> None:
    """A repetition does not take its place."""
    origins = Origins()
    for span in (b"1" * 16, b"2" * 16):
        origins.remember(keyed(ended(done()).call), span)
    link = origins.link(keyed(call()))
    assert link is not None
    assert link[1] == b"1" * 16


def test_what_has_no_key_or_was_not_sent_is_not_remembered() -> None:
    """Nothing will come after it."""
    origins = Origins()
    origins.remember(ended(done()).call, b"1" * 16)
    origins.remember(keyed(call()), b"1" * 16)
    assert origins.link(keyed(call())) is None
    assert origins.link(call()) is None


def test_the_oldest_goes_first() -> None:
    """The memory is bounded."""
    origins = Origins(rows_max=2)
    for row in (b"a", b"b", b"c"):
        origins.remember(keyed(ended(done()).call, row), b"1" * 16)
    assert [origins.link(keyed(call(), row)) is None for row in (b"a", b"b", b"c")] == [
        True, False, False,
    ]  # fmt: skip

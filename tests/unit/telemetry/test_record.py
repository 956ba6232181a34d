"""`proxy.telemetry.record`: what is kept of a call, and what is not."""

from __future__ import annotations

from proxy.telemetry.record import ending, reached, taken
from tests.support.values import CARD, attempt, call, request
from tests.unit.telemetry.traced import DOUBT, UNSENT, done, ended


def test_nothing_of_the_request_and_the_answer_is_kept() -> None:
    """The method and the status are all there is."""
    event = ended(done())
    event.call.request = request(target=b"/psp/" + CARD.encode(), body=CARD.encode())
    event.call.said = {b"origin": CARD.encode()}
    record = taken(event.call, event.outcome, event.ended_at, "sampled", b"1" * 16, None)
    assert CARD not in repr(record)
    assert "ch_1" not in repr(record)
    assert (record.method, record.ending.status) == (b"POST", 200)


def test_each_attempt_has_its_own_ending() -> None:
    """In order, with the upstream that it went to."""
    event = ended(UNSENT, done())
    record = taken(event.call, event.outcome, event.ended_at, "failed_over", b"1" * 16, None)
    assert [(each.number, each.ending.kind) for each in record.attempts] == [
        (1, "unsent"),
        (2, "answered"),
    ]


def test_an_attempt_that_was_cut_ends_as_its_call_did() -> None:
    """The drain took its end."""
    made = call()
    made.attempts.append(attempt(sent_at=1.0))
    (only,) = taken(made, DOUBT, 1234.0, "in_doubt", b"1" * 16, None).attempts
    assert (only.ending.reason, only.ended_at) == ("timeout", 1234.0)


def test_an_ending_says_what_is_known() -> None:
    """A replay who settled it, a failure its phase."""
    replay = ending(done(replayed=True, settled_by="inquiry"))
    assert (replay.replayed, replay.settled_by, replay.phase) == (True, "inquiry", "")
    assert ending(DOUBT).phase == "first_byte"


def test_only_phases_that_ended_are_told() -> None:
    """A connection that was there already has no way to it."""
    record = attempt(queued_at=1.0, sent_at=2.0)
    assert reached(record) == (("queue", 1.0), ("send", 2.0))

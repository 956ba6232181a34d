"""`proxy.alerts.outbox`: told once, again while it goes on, never in a flood."""

from __future__ import annotations

from proxy.alerts.outbox import Outbox
from proxy.model.health import AlertLimits
from tests.support.incident import incident


def _outbox(waiting_max: int = 100, per_hour_max: int = 60) -> Outbox:
    return Outbox(AlertLimits(waiting_max=waiting_max, per_hour_max=per_hour_max))


def _told(outbox: Outbox, now: float) -> list[str]:
    found = []
    while (event := outbox.due(now)) is not None:
        found.append(event.change)
    return found


def test_an_incident_is_told_when_it_opens_and_when_it_ends() -> None:
    """And at no other time."""
    outbox = _outbox()
    outbox.take(incident(), 0.0)
    assert _told(outbox, 0.0) == ["opened"]
    assert _told(outbox, 100.0) == []
    outbox.take(incident("closed"), 100.0)
    assert _told(outbox, 100.0) == ["closed"]
    assert _told(outbox, 100_000.0) == []


def test_one_that_goes_on_is_told_again_at_the_distance_that_was_asked_for() -> None:
    """By default each hour."""
    outbox = _outbox()
    outbox.take(incident(), 0.0)
    told = [(now, change) for now in range(0, 9000, 10) for change in _told(outbox, float(now))]
    assert told == [(0, "opened"), (3600, "repeated"), (7200, "repeated")]


def test_a_change_that_comes_before_the_opening_was_told_is_told_with_it() -> None:
    """The receiver hears once, and of what is known now."""
    outbox = _outbox()
    outbox.take(incident(), 0.0)
    outbox.take(incident("changed", origin="network"), 0.0)
    event = outbox.due(0.0)
    assert event is not None
    assert (event.change, event.origin) == ("opened", "network")
    assert len(outbox) == 0


def test_changes_are_gathered_for_a_while() -> None:
    """What is known may change a few times at first."""
    outbox = _outbox()
    outbox.take(incident(), 0.0)
    assert _told(outbox, 0.0) == ["opened"]
    for second in range(1, 6):
        outbox.take(incident("changed", calls_failed=second), float(second))
    assert _told(outbox, 10.0) == []
    event = outbox.due(11.0)
    assert event is not None
    assert (event.change, event.calls_failed) == ("changed", 5)


def test_what_ended_before_it_was_told_is_not_told() -> None:
    """Nobody is woken for what is over."""
    outbox = _outbox()
    outbox.take(incident(), 0.0)
    outbox.take(incident("closed"), 0.0)
    assert _told(outbox, 10_000.0) == []


def test_one_that_was_told_and_turns_out_to_be_part_of_another_is_told_so() -> None:
    """Or whoever keeps a list of what is open would keep it for ever."""
    outbox = _outbox()
    outbox.take(incident(), 0.0)
    assert _told(outbox, 0.0) == ["opened"]
    outbox.take(incident("closed", part_of="other"), 1.0)
    event = outbox.due(1.0)
    assert event is not None
    assert (event.change, event.part_of) == ("closed", "other")
    assert _told(outbox, 10_000.0) == []


def test_an_end_waits_for_its_hour_and_is_never_called_a_going_on() -> None:
    """The rate may delay that a partner has recovered; it may not turn it into the opposite."""
    outbox = _outbox(per_hour_max=1)
    outbox.take(incident(), 0.0)
    assert _told(outbox, 0.0) == ["opened"]
    outbox.take(incident("closed"), 100.0)
    told = [(now, change) for now in range(100, 9000, 10) for change in _told(outbox, float(now))]
    assert told == [(3600, "closed")]
    assert outbox.dropped == 0


def test_what_is_dropped_for_the_rate_is_counted_once() -> None:
    """And not each half second, for as long as the incident and the hour go on."""
    outbox = _outbox(per_hour_max=1)
    outbox.take(incident(), 0.0)
    assert _told(outbox, 0.0) == ["opened"]
    outbox.take(incident(id="other"), 3600.0)
    told = [change for now in range(3600, 5000) for change in _told(outbox, float(now))]
    assert told == ["opened"]
    assert outbox.dropped == 1


def test_an_end_that_has_no_room_to_wait_leaves_nothing_behind() -> None:
    """No incident is repeated for ever after it has ended."""
    outbox = _outbox(waiting_max=1)
    outbox.take(incident(), 0.0)
    assert _told(outbox, 0.0) == ["opened"]
    outbox.take(incident("closed"), 1.0)
    outbox.take(incident(id="other"), 1.0)
    assert (_told(outbox, 1.0), outbox.dropped) == (["opened"], 1)
    outbox.take(incident("closed", id="other"), 2.0)
    assert [_told(outbox, now) for now in (2.0, 9999.0)] == [["closed"], []]


def test_what_an_earlier_run_has_told_is_told_to_have_ended() -> None:
    """A restart in an outage is no reason to leave a receiver with half of the story."""
    outbox = _outbox()
    outbox.recall(incident(), 0.0)
    assert _told(outbox, 0.0) == []
    outbox.take(incident("closed"), 60.0)
    assert _told(outbox, 60.0) == ["closed"]


def test_a_flood_is_bounded_and_counted() -> None:
    """In what waits, and in an hour."""
    outbox = _outbox(waiting_max=5, per_hour_max=3)
    for number in range(8):
        outbox.take(incident(id=str(number)), 0.0)
    assert (len(outbox), outbox.dropped) == (5, 3)
    assert _told(outbox, 0.0) == ["opened"] * 3
    assert outbox.dropped == 4
    outbox.take(incident(id="later"), 3601.0)
    assert "opened" in _told(outbox, 3601.0)

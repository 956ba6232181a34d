"""`proxy.health.incidents`: opened once, changed, merged and closed by themselves."""

from __future__ import annotations

from proxy.health.incident import TIMELINE_MAX
from proxy.model.events import BreakerChanged, OverrideChanged
from proxy.model.health import HealthLimits
from proxy.model.outcome import Origin
from proxy.model.phase import Phase
from proxy.model.standing import Kind, Override
from tests.support.healthy import Watched, ok, unsent


def _refused(watched: Watched, seconds: int, *names: str) -> None:
    for _ in range(seconds):
        for name in names:
            for value in ("visa", "amex"):
                watched.end(name, unsent(watched.at[name], Phase.CONNECT, "refused"), value)
        watched.second()


def _watched(*names: str, close_after_s: float = 60.0, incidents_max: int = 100) -> Watched:
    limits = HealthLimits(close_after_s=close_after_s, incidents_max=incidents_max, silence=False)
    watched = Watched(*names, limits=limits)
    watched.seconds(20, good=names)
    return watched


def test_an_incident_opens_once_with_its_first_bad_event_and_closes_after_quiet() -> None:
    """Told twice: opened and closed."""
    watched = _watched("a", "b")
    began = watched.clock.wall()
    _refused(watched, 30, "a")
    (each,) = watched.health.incidents.all.values()
    assert (each.since, each.ended_at) == (began, None)
    assert each.named_after_s < 6.0
    watched.seconds(100, good=("a",))
    assert each.ended_at is not None
    assert 60.0 < each.ended_at - began - 30.0 < 90.0
    assert [event.change for event in watched.events] == ["opened", "closed"]
    assert [what for _, what, _ in each.timeline] == ["first_bad", "opened", "closed"]


def test_what_comes_back_before_it_was_closed_is_the_same_incident() -> None:
    """No flapping."""
    watched = _watched("a")
    for _ in range(3):
        _refused(watched, 10, "a")
        watched.seconds(30, good=("a",))
    assert [event.change for event in watched.events] == ["opened"]


def test_a_second_partner_changes_the_verdict_and_not_the_number_of_incidents() -> None:
    """First it looked like one partner, then it is the network."""
    watched = _watched("a", "b", "c")
    _refused(watched, 8, "a")
    _refused(watched, 8, "a", "b")
    (each,) = watched.health.incidents.open
    assert (each.partners, each.origin) == (("a", "b"), "network")
    assert [event.change for event in watched.events] == ["opened", "changed"]


def test_two_incidents_that_have_one_cause_become_one() -> None:
    """The later one says which it is a part of."""
    watched = _watched("a", "b")
    for _ in range(8):
        watched.end("a", ok(watched.at["a"], 500))
        watched.end("b", ok(watched.at["b"], 500))
        watched.second()
    assert len(watched.health.incidents.open) == 2
    _refused(watched, 12, "a", "b")
    (each,) = watched.health.incidents.open
    first, second = watched.health.incidents.all.values()
    assert each is first
    assert second.part_of == first.id


def test_impact_counts_calls_from_the_first_bad_one_on() -> None:
    """Not those of an hour ago, and all of those before it was opened."""
    watched = _watched("a")
    watched.end("a", unsent(watched.at["a"], Phase.QUEUE, "pool_full", Origin.PROXY))
    watched.seconds(70, good=("a",))
    _refused(watched, 10, "a")
    (each,) = watched.health.incidents.open
    assert each.impact[0] == each.impact[3] == 20


def test_breakers_and_operators_stand_in_the_timeline() -> None:
    """Of the upstream that they are about; a forced route concerns all."""
    watched = _watched("a", "b")
    _refused(watched, 8, "a")
    (each,) = watched.health.incidents.open
    for upstream in ("a", "b"):
        changed = BreakerChanged(
            upstream, upstream, "authorize", "closed", "open", "5 in a row", 5, 5, False, None
        )
        watched.health.event(changed)
    said = Override(Kind.FORCE, "charges", "b", "a is down", "ann", 0.0, 60.0, 0.0)
    watched.health.event(OverrideChanged("set", said, 60.0))
    words = [line[2] for line in each.timeline[2:]]
    assert words == [
        "breaker of authorize at a: 5 in a row",
        "force of charges to b by ann: a is down",
    ]


def test_timelines_and_records_are_bounded() -> None:
    """First lines stay, and the newest; ended records go first."""
    watched = _watched("a", "b", "c", close_after_s=1.0, incidents_max=2)
    for name in ("a", "b", "c"):
        _refused(watched, 10, name)
        watched.seconds(40, good=("a", "b", "c"))
    assert len(watched.health.incidents.all) == 2
    each = next(iter(watched.health.incidents.all.values()))
    for number in range(3 * TIMELINE_MAX):
        each.note(0.0, "breaker", str(number))
    assert len(each.timeline) == TIMELINE_MAX
    assert each.timeline[0][1] == "first_bad"
    assert each.timeline[-1][2] == str(3 * TIMELINE_MAX - 1)


def test_an_incident_of_before_a_restart_goes_on_or_ends() -> None:
    """With what it had done to calls before."""
    watched = _watched("a")
    _refused(watched, 10, "a")
    (each,) = watched.health.incidents.open
    again = _watched("a")
    again.health.incidents.adopt([each])
    _refused(again, 10, "a")
    assert len(again.health.incidents.open) == 1
    assert each.impact[0] == 40
    assert "restart" in [what for _, what, _ in each.timeline]
    again.seconds(100, good=("a",))
    assert again.health.incidents.open == []


def test_a_clock_that_is_set_does_not_move_the_first_bad_event() -> None:
    """Nor how long it lasted: what has passed is counted by the clock that never jumps."""
    watched = _watched("a")
    began = watched.clock.wall()
    _refused(watched, 10, "a")
    watched.clock.wall_jump_s = -3600.0
    _refused(watched, 10, "a")
    (each,) = watched.health.incidents.open
    assert each.since == began


def test_no_more_are_taken_in_than_are_kept() -> None:
    """The bound may be lower than it was."""
    watched = _watched("a", close_after_s=1.0)
    for _ in range(3):
        _refused(watched, 10, "a")
        watched.seconds(60, good=("a",))
    before = list(watched.health.incidents.all.values())
    assert len(before) == 3
    again = _watched("a", incidents_max=2)
    again.health.incidents.adopt(before)
    assert list(again.health.incidents.all) == [each.id for each in before[1:]]


def test_a_breaker_that_was_faster_than_the_verdict_stands_in_the_timeline() -> None:
    """In the order of time, and only what happened since the first bad event."""
    watched = _watched("a")
    for reason in ("of before", "5 in a row"):
        _refused(watched, 1 if reason == "5 in a row" else 0, "a")
        changed = BreakerChanged("a", "a", "authorize", "closed", "open", reason, 5, 5, False, None)
        watched.health.event(changed)
        watched.clock.advance(0.5 if reason == "of before" else 0.0)
    _refused(watched, 10, "a")
    (each,) = watched.health.incidents.open
    assert [what for _, what, _ in each.timeline] == ["first_bad", "breaker open", "opened"]
    assert each.timeline[1][2].endswith("5 in a row")

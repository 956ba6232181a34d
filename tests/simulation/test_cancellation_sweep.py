"""Whoever is cancelled, and at whatever instant: the key ends as the ledger says.

Each story is played once to count the passes of the loop in it, and then once for
every pass, with the cancellation right before it. Between two passes every task
stands at one of its suspension points, also where what it waits for has already
come; so each await of claim, fence and settle is cut at least once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from proxy.idempotency.record import State
from tests.simulation.life import Asked, Life
from tests.simulation.partner import Flight
from tests.simulation.store import Weather
from tests.simulation.world import RESET, World, answer_of

PASS_S = 0.002
PASSES_MAX = 3000
AFTER_S = 40.0
"""Beyond every deadline and timeout of a call."""

Reacts = Callable[[World, Flight], None]
Cut = Callable[[World, Asked], None]


def charges(world: World, flight: Flight) -> None:
    """The partner executes what comes, and says so."""
    world.partner.execute(flight, charge=True)
    assert flight.entry is not None
    world.partner.answer(flight, flight.entry.answer())


def charges_and_breaks_first(world: World, flight: Flight) -> None:
    """The first request is executed and its connection breaks; repetitions are answered."""
    world.partner.execute(flight, charge=True)
    assert flight.entry is not None
    first = flight is world.partner.flights[0]
    world.partner.answer(flight, RESET if first else flight.entry.answer())


def is_busy_first(world: World, flight: Flight) -> None:
    """Two requests are turned away unexecuted, the third is charged."""
    if len(world.partner.flights) > 2:
        charges(world, flight)
        return
    flight.over = True
    world.partner.answer(flight, answer_of(flight, 429))


def answers_late(world: World, flight: Flight) -> None:
    """The answer comes after the caller's timeout."""
    world.partner.execute(flight, charge=True)
    if flight.entry is not None and world.clock.now() - flight.sent_at > 10.5:
        world.partner.answer(flight, flight.entry.answer())


@dataclass(frozen=True, slots=True)
class Story:
    """What happens while one payment is made."""

    reacts: Reacts = charges
    own_keys: bool = False
    weather: Weather = Weather.CALM
    until_s: float = 0.0
    """When the weather is calm again."""
    before: bool = False
    """A first call under the key has left it in doubt."""
    twice: bool = False
    """Another caller makes the same payment, and comes first."""
    pass_s: float = PASS_S


STORIES = {
    "an answer": Story(),
    "a slow journal": Story(weather=Weather.SLOW, until_s=5.0, pass_s=0.02),
    "a journal that hangs for a moment": Story(weather=Weather.STUCK, until_s=0.1),
    "a journal that hangs for long": Story(weather=Weather.STUCK, until_s=3.0, pass_s=0.02),
    "a journal whose replies are lost": Story(weather=Weather.UNHEARD, until_s=0.3),
    "two refusals": Story(is_busy_first),
    "a broken connection": Story(charges_and_breaks_first),
    "a repetition": Story(charges_and_breaks_first, own_keys=True, before=True),
    "a late answer": Story(answers_late, pass_s=0.1),
    "a duplicate": Story(twice=True),
}


def begun(story: Story) -> tuple[World, Asked]:
    """The payment that is watched has just begun."""
    world = World(own_keys=story.own_keys, inquiries=True, sidecars=1)
    place = world.places[0]
    if story.before:
        first = world.pay(place, "k1", 1)
        for _ in steps(world, story):
            if first.heard:
                break
    life(world).store.turn(story.weather)
    if story.twice:
        world.pay(place, "k1", 1)
    return world, world.pay(place, "k1", 1)


def life(world: World) -> Life:
    """The sidecar's."""
    alive = world.places[0].life
    assert alive is not None
    return alive


def steps(world: World, story: Story) -> Iterator[int]:
    """Pass after pass of the loop, with the partner reacting in between."""
    begun_at = world.clock.now()
    for number in range(PASSES_MAX):
        yield number
        life(world).loop.tick()
        world.clock.advance(story.pass_s)
        store = life(world).store
        if store.weather is story.weather and world.clock.now() - begun_at > story.until_s:
            store.turn(Weather.CALM)
        for flight in world.partner.open_flights():
            story.reacts(world, flight)
        world.look()
    raise AssertionError("the story has no end")


def cancelled(world: World, asked: Asked) -> None:
    """The caller's task."""
    asked.left = True
    asked.task.cancel()


def drained(world: World, asked: Asked) -> None:
    """The drain is over: whatever still works is cut, and the sidecar begins again."""
    for each in world.asked:
        each.left = True
    closing = life(world).loop.create_task(life(world).journal.close(0.0))
    while not closing.done():
        life(world).loop.tick()
    killed(world, asked)


def killed(world: World, asked: Asked) -> None:
    """The process, with nothing written of what waited."""
    world.kill(world.places[0], 0)
    world.start(world.places[0])


def played(story: Story, cut: Cut | None, at: int) -> tuple[World, bool]:
    """The story, cut before pass `at`; whether there was such a pass."""
    world, asked = begun(story)
    reached = False
    for number in steps(world, story):
        if number == at and cut is not None and not asked.task.done():
            cut(world, asked)
            reached = True
        if asked.task.done() or asked.left:
            break
    ends_at = world.clock.now() + AFTER_S
    brisk = Story(story.reacts, story.own_keys, pass_s=0.1)
    for _ in steps(world, brisk):
        if world.clock.now() > ends_at:
            break
    world.calm_down()
    return world, reached


@pytest.mark.parametrize("cut", [cancelled, drained, killed], ids=lambda cut: cut.__name__)
@pytest.mark.parametrize("name", STORIES)
def test_a_cut_at_any_instant_leaves_the_truth(name: str, cut: Cut) -> None:
    """No key stays taken: charged is settled or in doubt, and not charged is free."""
    at = 0
    while True:
        world, reached = played(STORIES[name], cut, at)
        if not reached:
            break
        row = world.judge.row("k1")
        if any(flight.executed for flight in world.partner.flights):
            assert row is not None
            settled = cut is cancelled and STORIES[name].reacts is not charges_and_breaks_first
            assert row.state in ({State.SETTLED} if settled else {State.SETTLED, State.IN_DOUBT})
        else:
            fenced = State.IN_DOUBT if cut is not cancelled else State.RELEASED
            assert row is None or row.state in (State.RELEASED, fenced)
        world.come_to_rest()
        world.end()
        at += 1
    world.end()
    assert at > 3


def test_settling_can_be_cut_at_any_instant() -> None:
    """What the partner says about a call in doubt settles it, at this pass or at the next one."""
    story = Story(charges_and_breaks_first)
    at = 0
    while True:
        world, asked = begun(story)
        for _ in steps(world, story):
            if asked.heard:
                break
        settling = life(world).loop.create_task(life(world).settler.settle_all())
        for number in steps(world, story):
            if settling.done() or number == at:
                break
        reached = settling.cancel()
        world.advance(5.0)
        row = world.judge.row("k1")
        assert row is not None
        assert row.state in (State.IN_DOUBT, State.SETTLED)
        life(world).settle_all()
        world.advance(70.0)
        row = world.judge.row("k1")
        assert row is not None
        assert row.state is State.SETTLED
        world.come_to_rest()
        world.end()
        if not reached:
            break
        at += 1
    assert at > 3

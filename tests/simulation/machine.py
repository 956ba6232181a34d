"""The journal against every order of events that Hypothesis thinks of.

Two keys, one or two sidecars, one partner; callers repeat, cross and leave, the
store loses and delays, processes die, freeze and come back, clocks jump. The
judge looks after each event (judge.py has the rules that must hold).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.simulation.partner import Flight
from tests.simulation.store import Weather
from tests.simulation.world import KEYS, RESET, Place, World, answer_of

NOW = st.sampled_from([True, True, True, False])
"""Whether everything that can happen happens before the next rule acts."""

T = TypeVar("T")


def _one(data: st.DataObject, of: list[T]) -> T:
    """One of a few things; the report names it, where Hypothesis would show its insides."""
    chosen = of[data.draw(st.integers(0, len(of) - 1))]
    note(f"  it is {chosen}")
    return chosen


class JournalMachine(RuleBasedStateMachine):
    """See the module."""

    world: World
    sidecars: ClassVar[Sequence[int]] = (1, 1, 2)
    """How many there are on the journal, in so many of the histories."""

    own_keys: ClassVar[Sequence[bool]] = (False, True)
    """Whether the partner has keys of its own."""

    weather_first: ClassVar[Weather] = Weather.CALM

    @initialize(data=st.data(), inquiries=st.booleans())
    def begin(self, data: st.DataObject, inquiries: bool) -> None:
        own_keys = data.draw(st.sampled_from(self.own_keys))
        sidecars = data.draw(st.sampled_from(self.sidecars))
        self.world = World(own_keys=own_keys, inquiries=inquiries, sidecars=sidecars)
        for life in self.world.lives():
            life.store.turn(self.weather_first)

    def _rest(self, now: bool) -> None:
        """To the end of this instant, or only a pass of each loop."""
        if now:
            self.world.advance(0.01)
        else:
            for life in self.world.lives():
                life.loop.tick()
            self.world.look()

    def _place(self, data: st.DataObject) -> Place:
        return _one(data, [each for each in self.world.places if each.running])

    # -- applications -----------------------------------------------------------------------

    @precondition(lambda self: self.world.lives())
    @rule(data=st.data(), key=st.sampled_from(KEYS), amount=st.sampled_from([1, 1, 2]), now=NOW)
    def pay(self, data: st.DataObject, key: str, amount: int, now: bool) -> None:
        self.world.pay(self._place(data), key, amount)
        self._rest(now)

    @precondition(lambda self: self.world.lives())
    @rule(data=st.data(), times=st.integers(2, 3))
    def pay_at_once(self, data: st.DataObject, times: int) -> None:
        for _ in range(times):
            self.world.pay(self._place(data), KEYS[0], 1)
        self._rest(True)

    @precondition(lambda self: any(each.waits for each in self.world.asked))
    @rule(data=st.data(), now=NOW)
    def hang_up(self, data: st.DataObject, now: bool) -> None:
        waiting = [each for each in self.world.asked if each.waits]
        asked = _one(data, waiting)
        asked.left = True
        asked.task.cancel()
        self._rest(now)

    # -- the partner --------------------------------------------------------------------------

    def _flight(self, data: st.DataObject) -> Flight:
        return _one(data, self.world.partner.open_flights())

    @precondition(lambda self: self.world.partner.open_flights())
    @rule(data=st.data(), charge=st.sampled_from([True, True, False]), now=NOW)
    def execute_and_answer(self, data: st.DataObject, charge: bool, now: bool) -> None:
        flight = self._flight(data)
        self.world.partner.execute(flight, charge=charge)
        if flight.entry is not None:
            self.world.partner.answer(flight, flight.entry.answer())
        self._rest(now)

    @precondition(lambda self: self.world.partner.open_flights())
    @rule(data=st.data(), now=NOW)
    def execute_in_silence(self, data: st.DataObject, now: bool) -> None:
        self.world.partner.execute(self._flight(data), charge=True)
        self._rest(now)

    @precondition(lambda self: self.world.partner.open_flights())
    @rule(data=st.data(), status=st.sampled_from([429, 500, 0]), arrives=st.booleans(), now=NOW)
    def fail(self, data: st.DataObject, status: int, arrives: bool, now: bool) -> None:
        """429 proves that nothing was done; 500 and a broken connection (0) prove nothing, and
        the request may be executed later.
        """
        flight = self._flight(data)
        if status == 429:
            if flight.over:
                return
            flight.over = True
        elif arrives:
            self.world.partner.execute(flight, charge=True)
        self.world.partner.answer(flight, answer_of(flight, status) if status else RESET)
        self._rest(now)

    @rule(upstream=st.sampled_from("ab"), down=st.booleans())
    def upstream(self, upstream: str, down: bool) -> None:
        (self.world.partner.down.add if down else self.world.partner.down.discard)(upstream)

    @rule(upstream=st.sampled_from("ab"), drained=st.booleans())
    def operator(self, upstream: str, drained: bool) -> None:
        (self.world.drained.add if drained else self.world.drained.discard)(upstream)

    # -- time, disks and processes --------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.05, 0.6, 3.0, 11.0, 31.0, 150.0, 2900.0, 4000.0]))
    def wait(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(passes=st.integers(1, 4))
    def tick(self, passes: int) -> None:
        """So far and no further."""
        for _ in range(passes):
            self._rest(now=False)

    @rule(hours=st.sampled_from([-25, 25]))
    def clock_jumps(self, hours: int) -> None:
        self.world.clock.wall_jump_s += hours * 3600.0

    @precondition(lambda self: self.world.lives())
    @rule(data=st.data(), weather=st.sampled_from(Weather), now=NOW)
    def weather(self, data: st.DataObject, weather: Weather, now: bool) -> None:
        life = self._place(data).life
        assert life is not None
        life.store.turn(weather)
        self._rest(now)

    @precondition(lambda self: self.world.lives())
    @rule(data=st.data(), made=st.integers(0, 3))
    def kill(self, data: st.DataObject, made: int) -> None:
        self.world.kill(self._place(data), made)
        self.world.look()

    @precondition(lambda self: any(each.life is None for each in self.world.places))
    @rule(now=NOW)
    def start(self, now: bool) -> None:
        self.world.start(next(each for each in self.world.places if each.life is None))
        self._rest(now)

    @precondition(lambda self: len(self.world.places) > 1 and self.world.lives())
    @rule(
        data=st.data(),
        key=st.sampled_from(KEYS),
        passes=st.sampled_from([0, 5, 20, 20]),
        missed=st.booleans(),
    )
    def freeze(self, data: st.DataObject, key: str, passes: int, missed: bool) -> None:
        """Somewhere in a payment; after many passes it is between the fence and the sending. It
        may be missed at once: what the others may do then is the store's to say.
        """
        place = self._place(data)
        self.world.pay(place, key, 1)
        for _ in range(passes):
            place.tick()
        place.frozen = True
        if missed:
            self.world.take_over(place)
        self.world.look()

    @precondition(lambda self: any(each.frozen for each in self.world.places))
    @rule(data=st.data(), goes_on=st.booleans())
    def take_over_or_thaw(self, data: st.DataObject, goes_on: bool) -> None:
        frozen = _one(data, [each for each in self.world.places if each.frozen])
        if goes_on:
            frozen.frozen = False
            self._rest(True)
        else:
            self.world.take_over(frozen)
            self.world.look()

    # -- whoever finds out ------------------------------------------------------------------------

    @precondition(lambda self: self.world.lives() and self.world.inquiries)
    @rule(data=st.data(), now=NOW)
    def ask_the_partner(self, data: st.DataObject, now: bool) -> None:
        life = self._place(data).life
        assert life is not None
        life.settle_all()
        self._rest(now)

    @rule(key=st.sampled_from(KEYS))
    def resolve(self, key: str) -> None:
        self.world.resolve(key)
        self.world.look()

    def teardown(self) -> None:
        """Whatever happened, it comes to its end, and the end is told truly."""
        if not hasattr(self, "world"):
            return
        try:
            self.world.come_to_rest()
        finally:
            self.world.end()


class OwnKeysMachine(JournalMachine):
    """A partner with keys of its own in every history."""

    own_keys = (True,)


class SharedJournalMachine(JournalMachine):
    """Two sidecars on one journal in every history."""

    sidecars = (2,)

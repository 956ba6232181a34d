"""`proxy.idempotency.claim`: calls that may go nowhere, since operators drained every upstream."""

from __future__ import annotations

from proxy.idempotency.record import State
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome
from proxy.model.phase import Phase
from tests.unit.idempotency.house import House, done, refused, state


async def _nowhere(house: House) -> Outcome:
    """The call with the key, when no upstream takes new ones."""
    made = house.call()
    made.candidates = ()
    return await house.handle(made)


async def test_a_new_call_is_refused_and_its_key_stays_free() -> None:
    """Execution none is proven, for the journal was read; later the key is an ordinary one."""
    house = House()
    assert refused(await _nowhere(house)) == ("no_candidate", 503, Execution.NONE)
    assert (house.sent, state(house)) == ([], State.RELEASED)
    house.answers = [done()]
    assert isinstance(await house.ask(), Answered)
    assert [name for name, _ in house.sent] == ["a"]


async def test_a_stored_answer_is_replayed() -> None:
    """What was executed is told, wherever new calls may go."""
    house = House()
    house.answers = [done()]
    await house.ask()
    again = await _nowhere(house)
    assert isinstance(again, Answered)
    assert (again.replayed, len(house.sent)) == (True, 1)


async def test_a_repetition_goes_to_the_drained_upstream() -> None:
    """Under the same key, where the first sending is in doubt."""
    house = House(own_keys=True)
    house.answers = [InDoubt("acme", "a", Phase.BODY, "reset", Origin.NETWORK), done()]
    await house.ask()
    assert isinstance(await _nowhere(house), Answered)
    assert [name for name, _ in house.sent] == ["a", "a"]
    assert state(house) is State.SETTLED


async def test_a_doubt_that_may_not_be_repeated_stays_one() -> None:
    """It is said to be unknown, not refused as new."""
    house = House()
    house.answers = [InDoubt("acme", "a", Phase.BODY, "reset", Origin.NETWORK)]
    await house.ask()
    assert refused(await _nowhere(house)) == ("in_doubt", 409, Execution.UNKNOWN)
    assert len(house.sent) == 1


async def test_without_a_journal_that_answers_nothing_is_known() -> None:
    """The key may have been used before."""
    house = House()
    house.store.down = True
    assert refused(await _nowhere(house)) == ("journal_unavailable", 503, Execution.UNKNOWN)

"""Rules for undoing what is in doubt."""

from __future__ import annotations

import pytest

from proxy.idempotency.journal import Conclusion
from proxy.idempotency.record import Record, Settle, State, Superseded, Verdict
from proxy.idempotency.settling import Reverse, Settling
from proxy.idempotency.store import StoreUnavailable
from proxy.model.events import SettleGaveUp
from proxy.model.outcome import Execution, Refused
from proxy.model.settling import SettleRule
from tests.unit.idempotency.desk import Desk
from tests.unit.idempotency.values import INQUIRY, REVERSAL, wanted

RULES = {("a", "authorize"): SettleRule(reversal=REVERSAL)}
AFTER_S = REVERSAL.after_s
ABSENT_S = REVERSAL.absent_after_s


@pytest.fixture
async def desk() -> Desk:
    """A desk with nothing on it."""
    return Desk(RULES)


async def test_what_is_in_doubt_is_undone_after_a_while(desk: Desk) -> None:
    """A late answer has its time; then the key is free again."""
    row_id = await desk.doubt()
    desk.says(200)
    await desk.looks(AFTER_S - 1)
    assert desk.asked == []
    await desk.looks(3)
    ((upstream, asked),) = desk.asked
    assert (upstream, asked.method, asked.target) == ("a", b"POST", b"/void?ref=r%201")
    row = desk.row(row_id)
    assert (row.state, row.reason, row.settling) == (State.RELEASED, "reversed", "")
    assert (await desk.store.claim(wanted()))[0] is Verdict.RUN


async def test_the_intent_is_durable_before_the_first_byte(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the journal is away nothing is reversed."""
    await desk.doubt()
    desk.says(200)
    await desk.looks(AFTER_S)
    taken: list[str] = []
    ask = desk.settler._ask

    async def looking(upstream: str, asked: object) -> object:
        (row,) = desk.store.rows.values()
        taken.append(row.settling)
        return await ask(upstream, asked)  # type: ignore[arg-type]

    desk.settler._ask = looking  # type: ignore[assignment]
    monkeypatch.setattr(desk.journal, "step", _away)
    await desk.looks(5)
    assert taken == []
    monkeypatch.undo()
    await desk.looks(60)
    assert taken == [Settling.REVERSING]


async def _away(*_: object) -> Record:
    raise StoreUnavailable


async def test_an_answer_that_comes_after_the_reversal_began_is_no_success(desk: Desk) -> None:
    """Neither from the run that was sent, nor as a webhook's news; the key stays in doubt."""
    row_id = await desk.doubt()
    before = desk.row(row_id)
    await desk.looks(AFTER_S + 1)
    assert desk.row(row_id).settling == Settling.REVERSING
    for token in (before.token, desk.row(row_id).token):
        with pytest.raises(Superseded):
            await desk.store.step(row_id, token, Settle(201, "answered", b"sealed"))
    assert (await desk.store.claim(wanted()))[0] is Verdict.IN_DOUBT, "not even with own keys"


async def test_not_even_an_answer_to_the_very_attempt_is_a_success(desk: Desk) -> None:
    """Late news of a run that was taken over is believed otherwise (see journal.py)."""
    row_id = await desk.doubt()
    before = desk.row(row_id)
    await desk.looks(AFTER_S + 1)
    late = Settle(201, "answered", b"sealed")
    for state in (State.IN_DOUBT, State.RELEASED):
        told = await desk.journal.conclude(row_id, before.token, late, before.attempt)
        assert (told, desk.row(row_id).state) == (Conclusion.TAKEN_OVER, state)
        desk.says(200)
        await desk.looks(ABSENT_S + 2)
    assert desk.bugs == [], "it was executed, and then undone"


async def test_a_late_answer_to_an_earlier_run_is_no_answer_to_the_next(desk: Desk) -> None:
    """The first was reversed, the second is in doubt; attempts are numbered on for that."""
    desk.says(200)
    row_id = await desk.doubt()
    before = desk.row(row_id)
    await desk.looks(AFTER_S + 2)
    assert await desk.doubt() == row_id
    late = Settle(201, "answered", b"sealed")
    told = await desk.journal.conclude(row_id, before.token, late, before.attempt)
    assert (told, desk.row(row_id).state) == (Conclusion.TAKEN_OVER, State.IN_DOUBT)


async def test_an_answer_that_came_first_stands(desk: Desk) -> None:
    """Nothing is undone any more."""
    row_id = await desk.doubt()
    stale = desk.row(row_id)
    desk.says(200)
    desk.clock.advance(AFTER_S)
    await desk.store.step(row_id, stale.token, Settle(201, "answered", b"sealed"))
    await desk.settler.settle(stale)
    assert desk.asked == []
    assert desk.row(row_id).state is State.SETTLED


async def test_a_reversal_without_an_end_is_repeated(desk: Desk) -> None:
    """With growing waits; the end of it frees the key, though not before the
    lost ones had time to arrive: they would undo the next payment with this reference.
    """
    row_id = await desk.doubt()
    await desk.looks(AFTER_S + 20)
    assert len(desk.asked) >= 3
    assert len({str(asked) for asked in desk.asked}) == 1
    lost = len(desk.asked)
    desk.says(200)
    await desk.looks(ABSENT_S - 25)
    assert len(desk.asked) == lost + 1
    assert desk.row(row_id).state is State.IN_DOUBT
    await desk.looks(40)
    assert len(desk.asked) == lost + 1
    assert desk.row(row_id).reason == "reversed"


@pytest.mark.parametrize(
    "ending", [(500, Execution.UNKNOWN), (403, Execution.DONE)], ids=["unknown", "refused"]
)
async def test_any_other_answer_ends_nothing(desk: Desk, ending: tuple[int, Execution]) -> None:
    """Only the statuses that are configured do."""
    row_id = await desk.doubt()
    desk.says(ending[0], b"", ending[1])
    await desk.looks(AFTER_S + 200)
    assert len(desk.asked) >= 4
    assert desk.row(row_id).state is State.IN_DOUBT


async def test_a_reversal_that_was_not_sent_waits_for_nothing(desk: Desk) -> None:
    """Without a token for the partner, for example."""
    row_id = await desk.doubt()
    desk.answer = Refused("no_token", 503, "No.")
    await desk.looks(AFTER_S + 3)
    desk.says(200)
    await desk.looks(10)
    assert desk.row(row_id).state is State.RELEASED


async def test_nothing_to_reverse_is_believed_as_late_as_absence(desk: Desk) -> None:
    """The call may still be on its way, behind its own reversal."""
    row_id = await desk.doubt()
    desk.says(404)
    await desk.looks(ABSENT_S - 1)
    assert desk.asked
    assert desk.row(row_id).state is State.IN_DOUBT
    await desk.looks(80)
    assert desk.row(row_id).reason == "nothing_to_reverse"


async def test_a_second_run_is_not_freed_by_the_reversal_of_the_first(desk: Desk) -> None:
    """The partner may answer for the payment that it undid before, while this one is on its way;
    under another key of its own, since it would repeat its answer to the first.
    """
    desk.says(200)
    row_id = await desk.doubt()
    await desk.looks(AFTER_S + 2)
    assert desk.row(row_id).state is State.RELEASED
    assert await desk.doubt() == row_id
    await desk.looks(ABSENT_S - 1)
    assert len(desk.asked) > 1
    assert desk.row(row_id).state is State.IN_DOUBT
    await desk.looks(80)
    assert desk.row(row_id).state is State.RELEASED


async def test_of_two_that_begin_at_once_one_sends(desk: Desk) -> None:
    """The other's step is under a token that counts no more."""
    row_id = await desk.doubt()
    stale = desk.row(row_id)
    desk.clock.advance(AFTER_S)
    await desk.settler.settle(stale)
    await desk.another().settle(stale)
    assert len(desk.asked) == 1


async def test_a_restart_goes_on_with_what_was_begun(desk: Desk) -> None:
    """So does who takes a row over: carefully, since nobody knows what the other one sent."""
    row_id = await desk.doubt()
    await desk.looks(AFTER_S + 1)
    assert desk.asked
    desk.settler = desk.another()
    desk.asked.clear()
    desk.says(200)
    await desk.looks(2)
    assert len(desk.asked) == 1
    assert desk.row(row_id).state is State.IN_DOUBT
    await desk.looks(ABSENT_S + 2)
    assert desk.row(row_id).state is State.RELEASED


async def test_after_so_many_reversals_an_operator_is_needed() -> None:
    """What was begun still counts: no late answer is a success, and nothing is repeated."""
    desk = Desk(RULES, attempts_max=3)
    row_id = await desk.doubt()
    await desk.looks(AFTER_S + 100)
    row = desk.row(row_id)
    assert (len(desk.asked), row.settling) == (3, Settling.UNREVERSED)
    assert row.note == "gave up after 3 reversals"
    assert desk.events == [SettleGaveUp("acme", "a", "authorize", row_id.hex(), 3)]
    with pytest.raises(Superseded):
        await desk.store.step(row_id, row.token, Settle(201, "answered", b"sealed"))
    resolved = Settle(0, "resolved", b"", "seen in their portal", by_operator=True)
    await desk.store.step(row_id, row.token, resolved)
    assert desk.row(row_id).state is State.SETTLED


async def test_a_row_that_is_being_reversed_stays_so_when_the_mode_is_changed(desk: Desk) -> None:
    """Without a way to reverse it, it waits for an operator."""
    row_id = await desk.doubt()
    await desk.store.step(row_id, desk.row(row_id).token, Reverse())
    changed = Desk({("a", "authorize"): SettleRule(INQUIRY)})
    changed.store.rows = desk.store.rows
    await changed.settler.settle_all()
    assert changed.asked == []

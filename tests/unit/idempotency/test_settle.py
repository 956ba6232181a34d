"""Rules for asking partners about what is in doubt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.idempotency.record import State, Verdict
from proxy.idempotency.seal import unpack
from proxy.idempotency.settling import Settling
from proxy.model.events import SettleGaveUp
from proxy.model.settling import Question, SettleRule
from tests.unit.idempotency.desk import EMPTY, FOUND, Desk
from tests.unit.idempotency.values import INQUIRY, wanted

RESENDING = {("a", "authorize"): SettleRule(INQUIRY, resend_when_absent=True)}
AFTER_ABSENCE = frozenset({"a"})


@pytest.fixture
async def desk() -> Desk:
    """A desk with nothing on it."""
    return Desk()


async def test_what_the_partner_has_is_settled_with_its_answer(desk: Desk) -> None:
    """The application's retry gets it."""
    row_id = await desk.doubt("k1")
    desk.says(200, FOUND)
    await desk.settler.settle_all()
    assert desk.asked == [("a", Question(b"GET", b"/p?ref=r%201", "inquire"))]
    row = desk.store.rows[row_id]
    assert (row.state, row.reason, row.status) == (State.SETTLED, "found_by_inquiry", 200)
    assert unpack(desk.sealer.open(row_id, row.answer)).body == FOUND


async def test_what_the_partner_never_got_is_freed_once_that_is_certain(desk: Desk) -> None:
    """It may still be on its way for a while."""
    row_id = await desk.doubt("k1")
    desk.says(200, EMPTY)
    await desk.settler.settle_all()
    assert desk.store.rows[row_id].state is State.IN_DOUBT
    desk.clock.advance(60.0)
    await desk.settler.settle_all()
    assert desk.store.rows[row_id].state is State.RELEASED
    assert (await desk.store.claim(wanted("k1")))[0] is Verdict.RUN


async def test_a_clock_that_was_set_proves_nothing(desk: Desk) -> None:
    """Absence is believed by the time that we have watched, however old the row looks."""
    row_id = await desk.doubt("k1")
    desk.says(200, EMPTY)
    await desk.settler.settle_all()
    desk.clock.wall_jump_s = 90_000.0
    desk.clock.advance(30.0)
    await desk.settler.settle_all()
    assert len(desk.asked) == 2
    assert desk.store.rows[row_id].state is State.IN_DOUBT


async def test_a_partner_that_does_not_answer_is_asked_less_and_less(desk: Desk) -> None:
    """With jitter, and never less than once a minute."""
    await desk.doubt("k1")
    await desk.looks(600)
    assert 10 <= len(desk.asked) <= 40
    desk.asked.clear()
    await desk.looks(61)
    assert 1 <= len(desk.asked) <= 3


async def test_only_those_who_can_be_asked_are_asked(desk: Desk) -> None:
    """A row without reference, and one at an upstream without inquiry, wait for an operator."""
    await desk.doubt("k1", reference="")
    await desk.doubt("k2", upstream="b")
    await desk.settler.settle_all()
    assert desk.asked == []


async def test_all_pages_are_gone_through(desk: Desk) -> None:
    """Also behind rows that cannot be settled."""
    for number in range(450):
        await desk.doubt(f"k{number}")
        desk.clock.advance(0.001)
    desk.says(200, FOUND)
    await desk.settler.settle_all()
    assert len(desk.asked) == 450
    assert {row.state for row in desk.store.rows.values()} == {State.SETTLED}


async def test_news_about_a_call_that_is_repeated_meanwhile_is_dropped(desk: Desk) -> None:
    """The repetition learns for itself."""
    row_id = await desk.doubt("k1")
    row = replace(desk.store.rows[row_id])
    desk.store.rows[row_id] = replace(row, token=row.token + 1)
    desk.says(200, FOUND)
    await desk.settler.settle(row)
    assert desk.store.rows[row_id].state is State.IN_DOUBT


async def test_after_so_many_questions_an_operator_is_needed() -> None:
    """It stands on the row, it is told once, and a restart does not begin anew."""
    desk = Desk(attempts_max=5)
    row_id = await desk.doubt("k1")
    await desk.looks(300)
    assert len(desk.asked) == 5
    row = desk.row(row_id)
    assert (row.state, row.settling) == (State.IN_DOUBT, Settling.GAVE_UP)
    assert row.note == "gave up after 5 inquiries"
    assert desk.events == [SettleGaveUp("acme", "a", "authorize", row_id.hex(), 5)]
    await desk.another().settle_all()
    assert len(desk.asked) == 5


async def test_a_repetition_makes_it_worth_asking_again() -> None:
    """The row is taken over, so everything about it begins anew."""
    desk = Desk(attempts_max=2)
    row_id = await desk.doubt("k1")
    await desk.looks(20)
    verdict, row = await desk.store.claim(wanted("k1"))
    assert (verdict, row.settling, row.note) == (Verdict.RESEND, "", "")
    await desk.settler.settle_all()
    assert (desk.row(row_id).state, len(desk.asked)) == (State.IN_DOUBT, 3)


async def test_absence_that_is_not_believed_yet_allows_a_repetition_where_that_is_said() -> None:
    """Under the partner's own key the straggler and the repetition are one."""
    desk = Desk(RESENDING)
    row_id = await desk.doubt("k1")
    claim = wanted("k1", after_absence=AFTER_ABSENCE)
    assert (await desk.store.claim(claim))[0] is Verdict.IN_DOUBT
    desk.says(200, EMPTY)
    await desk.settler.settle_all()
    row = desk.row(row_id)
    assert (row.state, row.settling) == (State.IN_DOUBT, Settling.ABSENT)
    await desk.looks(10)
    assert (await desk.store.claim(claim))[0] is Verdict.RESEND
    assert (await desk.store.claim(claim))[0] is Verdict.IN_DOUBT, "the word is used up"


async def test_marked_as_absent_it_is_asked_about_until_it_ends() -> None:
    """Found after all, or believed to be absent."""
    for body, state in ((FOUND, State.SETTLED), (EMPTY, State.RELEASED)):
        desk = Desk(RESENDING)
        row_id = await desk.doubt("k1")
        desk.says(200, EMPTY)
        await desk.settler.settle_all()
        desk.says(200, body)
        await desk.looks(130)
        assert desk.row(row_id).state is state


async def test_an_answer_that_means_unknown_is_settled_the_same_way(desk: Desk) -> None:
    """A complete 500 is stored with the row, and the inquiry's answer takes its place."""
    row_id = await desk.doubt("k1")
    desk.store.rows[row_id] = replace(desk.row(row_id), status=500, answer=b"sealed")
    desk.says(200, FOUND)
    await desk.settler.settle_all()
    row = desk.row(row_id)
    assert (row.state, row.status) == (State.SETTLED, 200)
    assert unpack(desk.sealer.open(row_id, row.answer)).body == FOUND

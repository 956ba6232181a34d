"""Rules for what is done about a row in doubt."""

from __future__ import annotations

import pytest

from proxy.idempotency.record import (
    JournalError,
    Record,
    Release,
    Settle,
    State,
    Step,
    Superseded,
    Verdict,
)
from proxy.idempotency.settling import Mark, Reverse, Settling
from proxy.idempotency.transitions import claim, step
from tests.unit.idempotency.values import DOUBT, NOW, SETTLE, fence, later, row, wanted

NEEDS_ABSENCE = frozenset({"a"})


def reversing() -> Record:
    """A row whose reversal was begun."""
    doubt = row(State.IN_DOUBT)
    return step(doubt, doubt.token, Reverse(), NOW)


def marked(*marks: Settling) -> Record:
    """A row in doubt with these marks, one after the other."""
    made = row(State.IN_DOUBT)
    for mark in marks:
        made = step(made, made.token, Mark(mark, "why"), later(5.0))
    return made


def test_a_reversal_takes_the_row_over() -> None:
    """What was known under the token before counts no more."""
    doubt, taken = row(State.IN_DOUBT), reversing()
    assert (taken.state, taken.settling) == (State.IN_DOUBT, "reversing")
    assert taken.token == doubt.token + 1
    assert (taken.sent_at, taken.claimed_at, taken.doubts) == (doubt.sent_at, doubt.claimed_at, 1)
    with pytest.raises(Superseded):
        step(taken, doubt.token, SETTLE, NOW)


@pytest.mark.parametrize("made", [SETTLE, Settle(200, "webhook", b"", "seen")])
def test_no_answer_is_a_success_once_a_reversal_was_begun(made: Step) -> None:
    """Whoever brings it; only an operator who knows better may say so."""
    taken = reversing()
    given_up = step(taken, taken.token, Mark(Settling.UNREVERSED, "tired"), NOW)
    for each in (taken, given_up):
        with pytest.raises(Superseded, match="reversal was begun"):
            step(each, each.token, made, NOW)
        with pytest.raises(JournalError, match="reversed"):
            step(each, each.token, fence(attempt=9), NOW)
        assert claim(each, wanted(), NOW)[0] is Verdict.IN_DOUBT
        by_operator = Settle(0, "resolved", b"", "seen", by_operator=True)
        assert step(each, each.token, by_operator, NOW).settling == ""
        assert step(each, each.token, Release("reversed", of_all=True), NOW).settling == ""
        with pytest.raises(JournalError):
            step(each, each.token, Release("refused"), NOW)


@pytest.mark.parametrize("state", [State.CLAIMED, State.SENDING, State.SETTLED, State.RELEASED])
def test_only_what_is_in_doubt_is_reversed_or_marked(state: State) -> None:
    """Anything else has an end, or will have one."""
    made = row(state)
    for each in (Reverse(), Mark(Settling.ABSENT), Mark(Settling.GAVE_UP)):
        with pytest.raises(JournalError):
            step(made, made.token, each, NOW)


def test_a_mark_changes_nothing_else() -> None:
    """Not even the row's time: it is a remark, and no news about the call."""
    before, after = row(State.IN_DOUBT), marked(Settling.ABSENT, Settling.GAVE_UP)
    assert (after.settling, after.note, after.token) == ("gave_up", "why", before.token)
    assert (after.changed_at, after.changed_kept) == (before.changed_at, before.changed_kept)


@pytest.mark.parametrize(
    "marks",
    [
        (Settling.GAVE_UP, Settling.ABSENT),
        (Settling.ABSENT, Settling.ABSENT),
        (Settling.UNREVERSED,),
        (Settling.REVERSING,),
        (Settling.NOTHING,),
    ],
)
def test_marks_have_an_order(marks: tuple[Settling, ...]) -> None:
    """A reversal is begun by its own step, and nothing takes a mark away but a new run."""
    with pytest.raises(JournalError):
        marked(*marks)


@pytest.mark.parametrize(
    ("marks", "verdict"),
    [
        ((), Verdict.IN_DOUBT),
        ((Settling.GAVE_UP,), Verdict.IN_DOUBT),
        ((Settling.ABSENT,), Verdict.RESEND),
    ],
)
def test_where_absence_is_needed_a_repetition_waits_for_it(
    marks: tuple[Settling, ...], verdict: Verdict
) -> None:
    """And uses it up."""
    found, after = claim(marked(*marks), wanted(after_absence=NEEDS_ABSENCE), NOW)
    assert found is verdict
    if verdict is Verdict.RESEND:
        assert (after.settling, after.note) == ("", "")


def test_elsewhere_no_absence_is_needed() -> None:
    """The upstream of the row counts."""
    other = wanted(after_absence=frozenset({"b"}))
    assert claim(row(State.IN_DOUBT), other, NOW)[0] is Verdict.RESEND


def test_after_a_reversal_the_partner_knows_the_next_run_by_another_key() -> None:
    """Under the old one it would answer with the payment that was undone; whoever freed the key.
    It never goes back, and stays where nothing was undone.
    """
    seen = []
    made = row(State.IN_DOUBT)
    ends = [
        (True, Release("reversed", of_all=True)),
        (False, Release("absent_by_inquiry", of_all=True)),
        (True, Release("resolved", of_all=True)),
        (True, Release("nothing_to_reverse", of_all=True, keeps_key=True)),
    ]
    for number, (reverses, end) in enumerate(ends, 2):
        seen.append(made.partner_key)
        if reverses:
            made = step(made, made.token, Reverse(), NOW)
        freed = step(made, made.token, end, NOW)
        _, made = claim(freed, wanted(), NOW)
        sent = fence(attempt=number, partner_key=made.partner_key)
        made = step(made, made.token, sent, NOW)
        made = step(made, made.token, DOUBT, NOW)
    seen.append(made.partner_key)
    first, second, third, fourth, fifth = seen
    assert (second, fourth) == (third, fifth)
    assert len({first, second, fourth}) == 3
    assert {len(key) for key in seen} == {len(first)}


def test_a_key_that_was_freed_shows_that_it_was_sent_before() -> None:
    """Attempts count on, so that an old word of the partner is not taken for the new run's."""
    verdict, again = claim(row(State.RELEASED), wanted(), later(1.0))
    assert (verdict, again.attempt) == (Verdict.RUN, 1)
    assert step(again, again.token, fence(attempt=2), later(1.0)).attempt == 2

"""Rules for every change of a row: the whole table, and the steps that could charge twice."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.idempotency.record import (
    Instant,
    JournalError,
    Record,
    Release,
    State,
    Step,
    Superseded,
    Verdict,
    check,
)
from proxy.idempotency.transitions import after_crash, claim, step
from tests.unit.idempotency.values import (
    DOUBT,
    NOW,
    RELEASE,
    SETTLE,
    WINDOW_S,
    fence,
    later,
    row,
    wanted,
)

STEPS: dict[str, Step] = {
    "fence": fence(attempt=2),
    "settle": SETTLE,
    "doubt": DOUBT,
    "release": RELEASE,
    "release of all": Release("absent", of_all=True),
}
LEADS_TO: dict[tuple[State, str], State] = {
    (State.CLAIMED, "fence"): State.SENDING,
    (State.CLAIMED, "release"): State.RELEASED,
    (State.CLAIMED, "release of all"): State.RELEASED,
    (State.SENDING, "fence"): State.SENDING,
    (State.SENDING, "settle"): State.SETTLED,
    (State.SENDING, "doubt"): State.IN_DOUBT,
    (State.SENDING, "release"): State.RELEASED,
    (State.SENDING, "release of all"): State.RELEASED,
    (State.IN_DOUBT, "fence"): State.SENDING,
    (State.IN_DOUBT, "settle"): State.SETTLED,
    (State.IN_DOUBT, "doubt"): State.IN_DOUBT,
    (State.IN_DOUBT, "release of all"): State.RELEASED,
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("state", State)
def test_the_whole_table(state: State, name: str) -> None:
    """What is not in it raises, and so stops a charge instead of making one."""
    before = row(state)
    kept = copy(before)
    expected = LEADS_TO.get((state, name))
    if expected is None:
        with pytest.raises(JournalError):
            step(before, before.token, STEPS[name], NOW)
    else:
        after = step(before, before.token, STEPS[name], later(1.0))
        assert (after.state, after.changed_at) == (expected, NOW.wall + 1.0)
    assert before == kept, "a step makes a new row"


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("state", State)
def test_a_step_under_an_old_token_changes_nothing(state: State, name: str) -> None:
    """Its run was taken over by another."""
    with pytest.raises(Superseded):
        step(row(state), 0, STEPS[name], NOW)


def test_a_step_needs_a_row() -> None:
    """Nothing is settled that was never claimed."""
    with pytest.raises(JournalError, match="not in the journal"):
        step(None, 1, SETTLE, NOW)


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (State.CLAIMED, Verdict.BUSY),
        (State.SENDING, Verdict.BUSY),
        (State.SETTLED, Verdict.REPLAY),
        (State.IN_DOUBT, Verdict.RESEND),
        (State.RELEASED, Verdict.RUN),
    ],
)
def test_what_a_claim_comes_to(state: State, verdict: Verdict) -> None:
    """Only a verdict that gives the key away changes the row, and raises its token."""
    before = row(state)
    found, after = claim(before, wanted(call="call-2"), later(1.0))
    assert found is verdict
    if verdict in (Verdict.RUN, Verdict.RESEND):
        assert (after.token, after.call) == (before.token + 1, "call-2")
    else:
        assert after == before


@pytest.mark.parametrize("state", [State.CLAIMED, State.SENDING, State.SETTLED, State.IN_DOUBT])
def test_another_request_under_the_key_is_a_mismatch(state: State) -> None:
    """Whatever became of the first; only a key that is free may be used for another."""
    before = row(state)
    assert claim(before, wanted(fingerprint=b"g" * 32), NOW) == (Verdict.MISMATCH, before)
    freed, after = claim(row(State.RELEASED), wanted(fingerprint=b"g" * 32), NOW)
    assert (freed, after.fingerprint) == (Verdict.RUN, b"g" * 32)


def test_two_scopes_never_share_a_row() -> None:
    """Should their digests ever be alike, that is an error and no replay."""
    other = replace(wanted(), scope=replace(wanted().scope, tenant="other"))
    with pytest.raises(JournalError, match="two scopes"):
        claim(row(State.SETTLED), other, NOW)


def test_no_two_claims_have_the_same_token() -> None:
    """One that was lost before it was durable must not pass for its successor."""
    _, first = claim(None, wanted(salt=7), NOW)
    _, second = claim(None, wanted(salt=9), NOW)
    assert first.token != second.token
    with pytest.raises(Superseded):
        step(second, first.token, fence(), NOW)


@pytest.mark.parametrize(
    ("now", "windows", "verdict"),
    [
        (later(WINDOW_S - 1), {"a": WINDOW_S}, Verdict.RESEND),
        (later(WINDOW_S), {"a": WINDOW_S}, Verdict.IN_DOUBT),
        (later(1.0, WINDOW_S), {"a": WINDOW_S}, Verdict.IN_DOUBT),
        (later(-1.0, 1.0), {"a": WINDOW_S}, Verdict.IN_DOUBT),
        (later(1.0, -400.0), {"a": WINDOW_S}, Verdict.RESEND),
        (later(1.0), {"b": WINDOW_S}, Verdict.IN_DOUBT),
        (later(1.0), {"a": 0.0, "b": WINDOW_S}, Verdict.IN_DOUBT),
        (later(1.0), {}, Verdict.IN_DOUBT),
    ],
)
def test_when_a_request_in_doubt_may_be_repeated(
    now: Instant, windows: dict[str, float], verdict: Verdict
) -> None:
    """Where it was sent, while both clocks say that the partner still knows its key.

    The journal's own clock stands still while it is closed, and goes back a little in a crash.
    """
    assert claim(row(State.IN_DOUBT), wanted(resend_s=windows), now)[0] is verdict


@pytest.mark.parametrize("over", [{"upstream": "b"}, {"partner_key": "tg-2"}])
def test_what_is_in_doubt_goes_nowhere_else(over: dict[str, str]) -> None:
    """Not by failover during the repetition either."""
    doubtful = row(State.IN_DOUBT)
    with pytest.raises(JournalError, match="elsewhere"):
        step(doubtful, doubtful.token, fence(attempt=2, **over), NOW)
    again = step(doubtful, doubtful.token, fence(attempt=2), NOW)
    with pytest.raises(JournalError, match="elsewhere"):
        step(again, again.token, fence(attempt=3, **over), NOW)


def test_an_attempt_is_fenced_once() -> None:
    """A second fence of the same attempt would be a second sending nobody knows of."""
    sending = row(State.SENDING)
    with pytest.raises(JournalError, match="twice"):
        step(sending, sending.token, fence(), NOW)
    elsewhere = step(sending, sending.token, fence(attempt=2, upstream="b"), NOW)
    assert elsewhere.upstream == "b"


def test_the_window_counts_from_the_first_sending() -> None:
    """A repetition does not lengthen it, and adds a doubt of its own."""
    doubtful = row(State.IN_DOUBT)
    again = step(doubtful, doubtful.token, fence(attempt=2), later(60.0))
    assert (again.sent_at, again.sent_kept) == (NOW.wall, NOW.kept)
    twice = step(again, again.token, DOUBT, later(61.0))
    assert twice.doubts == 2


def test_one_failure_does_not_clear_the_doubt_about_another() -> None:
    """Only proof about all attempts frees the key."""
    doubtful = row(State.IN_DOUBT)
    again = step(doubtful, doubtful.token, fence(attempt=2), NOW)
    with pytest.raises(JournalError, match="another in doubt"):
        step(again, again.token, RELEASE, NOW)
    freed = step(again, again.token, Release("absent", of_all=True), NOW)
    assert (freed.doubts, freed.sent_at, freed.execution) == (0, 0.0, "none")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (State.CLAIMED, State.RELEASED),
        (State.SENDING, State.IN_DOUBT),
        (State.IN_DOUBT, State.IN_DOUBT),
        (State.SETTLED, State.SETTLED),
        (State.RELEASED, State.RELEASED),
    ],
)
def test_what_a_dead_run_leaves(before: State, after: State) -> None:
    """Not fenced is not sent; fenced is in doubt; what has ended stays as it is."""
    assert after_crash(row(before), NOW).state is after


CHOICES = st.lists(st.sampled_from([*STEPS, "claim", "claim other", "crash"]), max_size=14)


@given(choices=CHOICES)
def test_no_chain_of_steps_sends_twice_without_a_partner_that_allows_it(choices: list[str]) -> None:
    """Between two first sendings there is always proof that the former was not executed."""
    current: Record | None = None
    unproven = False
    attempt = 0
    for choice in choices:
        try:
            if choice.startswith("claim"):
                upstreams = {"a": WINDOW_S} if choice == "claim" else {}
                verdict, current = claim(current, wanted(resend_s=upstreams), NOW)
                assert verdict is not Verdict.RUN or not unproven
            elif current is None:
                continue
            elif choice == "crash":
                current = after_crash(current, NOW)
            else:
                made = STEPS[choice]
                if choice == "fence":
                    attempt += 1
                    made = fence(attempt=attempt)
                current = step(current, current.token, made, NOW)
        except JournalError:
            continue
        assert current is not None
        check(current)
        if choice == "doubt" or (choice == "crash" and current.state is State.IN_DOUBT):
            unproven = True
        if choice == "release of all":
            unproven = False
        if current.state is State.RELEASED:
            assert not unproven

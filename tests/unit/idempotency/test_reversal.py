"""Rules for the request that undoes a call, and for what its answer proves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.idempotency.record import Record, Release, State
from proxy.idempotency.reversal import key, proven, question
from proxy.idempotency.settling import Reverse
from proxy.idempotency.transitions import step
from proxy.model.settling import Question
from tests.unit.idempotency.values import REVERSAL, later, row

DONE = Release("reversed", of_all=True)
NOTHING = Release("nothing_to_reverse", of_all=True, keeps_key=True)


def doubt(reference: str = "r1") -> Record:
    """A row in doubt with this reference."""
    return row(State.IN_DOUBT, reference=reference)


def test_a_reversal_is_built_from_its_template() -> None:
    """The reference is the application's text: it changes neither the URL nor the JSON."""
    asked = question(REVERSAL, doubt("a/b&c"))
    assert asked == Question(b"POST", b"/void?ref=a%2Fb%26c", "void")
    template = replace(REVERSAL, target="/void", body='{"ref": "{reference}"}', method=b"PUT")
    asked = question(template, doubt('x", "amount": "1\n'))
    assert (asked.method, asked.target) == (b"PUT", b"/void")
    assert asked.body == b'{"ref": "x\\", \\"amount\\": \\"1\\n"}'
    assert asked.headers == ((b"Content-Type", b"application/json"),)


def test_each_reversal_has_a_key_of_its_own_at_the_partner() -> None:
    """Under one that it knows, it would say again that there is nothing to reverse, though the
    call has arrived meanwhile, or that it has reversed one, though that was an earlier run.
    """
    keyed = replace(REVERSAL, key_header=b"X-Key", key_length_max=20)
    first = step(doubt(), doubt().token, Reverse(), later(1.0))
    again = step(first, first.token, Reverse(), later(2.0))
    ((name, value),) = question(keyed, first).headers
    assert (name, len(value), value[:3]) == (b"X-Key", 20, b"tg-")
    assert question(keyed, first) == question(keyed, first)
    assert question(keyed, again) != question(keyed, first)
    assert key(first, 64) != key(replace(first, id=b"j" * 16), 64)


@pytest.mark.parametrize(
    ("status", "age_s", "alone", "end"),
    [
        (200, 0.0, True, DONE),
        (201, 0.0, True, DONE),
        (200, 59.0, False, None),
        (200, 60.0, False, DONE),
        (404, 59.0, True, None),
        (404, 60.0, True, NOTHING),
        (202, 600.0, True, None),
        (400, 600.0, True, None),
        (500, 600.0, True, None),
    ],
)
def test_the_whole_table(status: int, age_s: float, alone: bool, end: Release | None) -> None:
    """What is not configured proves nothing."""
    assert proven(REVERSAL, status, age_s, alone=alone, lost=False) == end


def test_a_lost_reversal_may_be_why_there_is_nothing() -> None:
    """Then the partner's key may give the answer of what was undone, and is not used again."""
    found = proven(REVERSAL, 404, 60.0, alone=True, lost=True)
    assert found == Release("nothing_to_reverse", of_all=True)

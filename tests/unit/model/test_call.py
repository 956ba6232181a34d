"""`proxy.model.call`: what the record of a call says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.model.call import Ticket
from proxy.model.route import KeyFrom
from tests.support.values import attempt, call, candidate, headers, request, route
from tests.unit.idempotency.values import KEYED


@pytest.mark.parametrize(
    ("sent_ats", "sent"),
    [((), False), ((0.0,), False), ((5.0,), True), ((5.0, 0.0), True), ((0.0, 7.0), True)],
)
def test_a_call_was_sent_when_any_of_its_attempts_was(
    sent_ats: tuple[float, ...], sent: bool
) -> None:
    """A later attempt that failed unsent does not undo an earlier write."""
    made = call()
    made.attempts = [attempt(number, sent_at=at) for number, at in enumerate(sent_ats, 1)]
    assert made.sent is sent


@pytest.mark.parametrize(
    ("method", "fields", "from_fields", "expected"),
    [
        (b"POST", (("Idempotency-Key", "k"),), False, True),
        (b"POST", (), False, False),
        (b"POST", (), True, True),
        (b"GET", (("Idempotency-Key", "k"),), True, False),
    ],
)
def test_a_call_with_a_key_may_repeat_one_that_was_sent(
    method: bytes, fields: tuple[tuple[str, str], ...], from_fields: bool, expected: bool
) -> None:
    """Until the journal has said otherwise; calls that execute nothing have no keys."""
    rule = replace(KEYED, key_from=KeyFrom.FIELDS if from_fields else KEYED.key_from)
    asked = request(method, fields=headers(*fields))
    made = call(asked, route(candidate(), idempotency=rule))
    assert made.may_be_repeated is expected


@pytest.mark.parametrize("resend", [False, True])
def test_the_journals_word_counts(resend: bool) -> None:
    """A key that was free has nothing behind it; one that is sent again has."""
    made = call(request(fields=headers(("Idempotency-Key", "k"))), route(idempotency=KEYED))
    made.ticket = Ticket(b"i" * 16, 1, 0, "tg-1", resend, None, frozenset())
    assert made.may_be_repeated is resend


def test_without_a_route_or_a_rule_there_are_no_keys() -> None:
    """Nothing is remembered of such calls."""
    assert not call().may_be_repeated

"""Rules for what a partner's word about a call proves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.idempotency.inquiry import absent, conclusion, question
from proxy.model.outcome import Execution
from tests.unit.idempotency.values import INQUIRY

NONE, DONE, UNKNOWN = Execution.NONE, Execution.DONE, Execution.UNKNOWN


@pytest.mark.parametrize(
    ("status", "body", "age_s", "proven"),
    [
        (200, b'{"payments": [{"state": "paid"}]}', 0.0, DONE),
        (200, b'{"payments": [{"state": "declined"}]}', 0.0, DONE),
        (200, b'{"payments": [{"state": "cancelled"}]}', 0.0, NONE),
        (200, b'{"payments": []}', 59.0, UNKNOWN),
        (200, b'{"payments": []}', 60.0, NONE),
        (404, b"", 59.0, UNKNOWN),
        (404, b"", 60.0, NONE),
        (403, b"", 600.0, UNKNOWN),
        (500, b'{"payments": [{"state": "paid"}]}', 600.0, UNKNOWN),
        (302, b"", 600.0, UNKNOWN),
        (200, b"<html>", 600.0, UNKNOWN),
        (200, b'{"payments": [{"state": 1}], "payments": []}', 600.0, UNKNOWN),
    ],
)
def test_the_whole_table(status: int, body: bytes, age_s: float, proven: Execution) -> None:
    """Absence is believed once the call has had time to arrive; what cannot be read is no word."""
    assert conclusion(INQUIRY, status, body, age_s) is proven


def test_a_reference_cannot_change_the_request() -> None:
    """It is the application's text."""
    asked = question(replace(INQUIRY, target="/p?ref={reference}&x=1"), "a/b?c&d=ä #")
    assert (asked.method, asked.operation, asked.body) == (b"GET", "inquire", b"")
    assert asked.target == b"/p?ref=a%2Fb%3Fc%26d%3D%C3%A4%20%23&x=1"


def test_what_was_not_executed_may_be_an_earlier_call_under_the_same_key() -> None:
    """An attempt that was declined lies there already, while the repetition is on its way."""
    cancelled = b'{"payments": [{"state": "cancelled"}]}'
    assert conclusion(INQUIRY, 200, cancelled, 59.0, alone=False) is UNKNOWN
    assert conclusion(INQUIRY, 200, cancelled, 60.0, alone=False) is NONE


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (404, b"", True),
        (200, b'{"payments": []}', True),
        (200, b'{"payments": [{"state": "paid"}]}', False),
        (200, b"<html>", False),
        (500, b"{}", False),
    ],
)
def test_absence_is_said_in_so_many_words(status: int, body: bytes, says: bool) -> None:
    """Whether it is believed is another matter."""
    assert absent(INQUIRY, status, body) is says

"""Rules for what a partner's word about a call proves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.idempotency.inquiry import conclusion, target
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
    asked = target(replace(INQUIRY, target="/p?ref={reference}&x=1"), "a/b?c&d=ä #")
    assert asked == b"/p?ref=a%2Fb%3Fc%26d%3D%C3%A4%20%23&x=1"

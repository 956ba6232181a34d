"""`proxy.model.message`: header triples and how they are looked up."""

from __future__ import annotations

from proxy.model.message import header
from tests.support.values import headers, request


def test_a_header_keeps_its_spelling_and_gets_a_key_for_decisions() -> None:
    """Decisions use the lower-case key, the wire the name as it was written."""
    assert header(b"X-Request-ID", b"Abc") == (b"x-request-id", b"X-Request-ID", b"Abc")


def test_the_first_of_several_values_is_found_by_its_key() -> None:
    """Order on the wire decides, and only the exact key counts."""
    asked = request(fields=headers(("Accept", "a/b"), ("ACCEPT", "c/d")))
    assert asked.first(b"accept") == b"a/b"
    assert asked.first(b"Accept") is None
    assert asked.first(b"accept-encoding") is None

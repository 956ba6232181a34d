"""Rules for looking into bodies: one reading, and nothing that is not sure."""

from __future__ import annotations

import pytest

from proxy.model.pointer import at, members, name_at, only, parse, parts, usable


@pytest.mark.parametrize(
    ("pointer", "found"),
    [("/a/0/b~1c", "x"), ("/a/1", None), ("/a/x", None), ("/n", "1.50"), ("/n/x", None)],
)
def test_pointers(pointer: str, found: str | None) -> None:
    """RFC 6901, with escapes; numbers as they are written."""
    assert at(parse(b'{"a": [{"b/c": "x"}], "n": 1.50}'), pointer) == found


def test_steps_of_a_pointer() -> None:
    """A tilde before a slash, so that both can be written."""
    assert parts("/a~1b/c~0d") == ["a/b", "c~d"]


def test_a_member_that_stands_twice_is_refused() -> None:
    """Parsers disagree about which one counts."""
    assert members([("a", 1), ("b", 2)]) == {"a": 1, "b": 2}
    with pytest.raises(ValueError, match=r"^$"):
        parse(b'{"a": 1, "a": 2}')


@pytest.mark.parametrize(
    ("body", "pointer", "name"),
    [
        (b'{"payment": {"id": "ch_1"}}', "/payment/id", "ch_1"),
        (b'{"id": 4711}', "/id", "4711"),
        (b'{"id": {"a": 1}}', "/id", ""),
        (b'{"id": true}', "/id", ""),
        (b'{"id": null}', "/id", ""),
        (b'{"id": "a", "id": "b"}', "/id", ""),
        (b'{"id": "a\\u0000b"}', "/id", ""),
        (b'{"id": "\\ud800"}', "/id", ""),
        (b'{"id": "' + b"x" * 256 + b'"}', "/id", ""),
        (b"[" * 100_000, "/0", ""),
        (b"\xff{", "/id", ""),
        (b"", "/id", ""),
        (b"payment_intent=pi_1&amount=5", "/payment_intent", "pi_1"),
        (b"metadata%5Border%5D=o%201", "/metadata[order]", "o 1"),
        (b"id=1&id=2", "/id", ""),
        (b"id=1", "/id/deeper", ""),
        (b"id=%ff", "/id", ""),
    ],
)
def test_a_name_in_a_body(body: bytes, pointer: str, name: str) -> None:
    """Of JSON or of a form; what is not sure is none."""
    assert name_at(body, pointer) == name


def test_a_field_of_a_query() -> None:
    """Once, or it is none; bytes that nobody may send are told."""
    assert only(b"a=1&b=2", "b") == "2"
    assert only(b"b=1&b=2", "b") == ""
    assert only(b"", "b") == ""
    with pytest.raises(ValueError, match="codec"):
        only(b"b=\xff", "b")


def test_what_can_be_told_from_another_name() -> None:
    """Printable, and no longer than a column of a report."""
    assert usable("ch_1") == "ch_1"
    assert usable("a\nb") == usable("x" * 256) == ""

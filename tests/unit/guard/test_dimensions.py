"""`proxy.guard.dimensions`: what a request says of its slice, and what is never written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.guard.dimensions import BODY_BYTES_MAX, Reader, value_of
from proxy.model.dimension import Dimension, Source, span
from tests.support.values import CARD, headers, request

SCHEME = Dimension("scheme", Source.POINTER, "/card/scheme")
NUMBER = Dimension("scheme", Source.BIN, "/card/number")


def read(body: bytes, *dimensions: Dimension, **fields: str) -> tuple[str, ...]:
    """The values of a request with this body and these header fields."""
    given = headers(*((name.replace("_", "-"), value) for name, value in fields.items()))
    return Reader(dimensions).read(request(fields=given, body=body))


def as_json(**members: Any) -> bytes:
    """A body."""
    return json.dumps(members).encode()


@pytest.mark.parametrize(
    ("written", "value"),
    [("Visa", "visa"), ("Apple Pay", "apple_pay"), ("EUR", "eur"), ("5411", "5411"), ("", "none")],
)
def test_a_short_plain_text_is_its_own_value(written: str, value: str) -> None:
    """In lower case, blanks as underscores."""
    assert value_of(written) == value


@pytest.mark.parametrize("written", [CARD, "4111 11", "a@b.example", "x" * 33, "é", "a\nb"])
def test_what_might_be_somebodys_is_other(written: str) -> None:
    """Card numbers and their parts, addresses, anything long or strange."""
    assert value_of(written) == "other"


def test_each_source_is_read() -> None:
    """A pointer, a form's field, a header, a card number's range."""
    body = as_json(card={"scheme": "Visa", "number": CARD}, list=[{"a/b": 7}])
    assert read(body, SCHEME, NUMBER) == ("visa", "visa")
    assert read(body, Dimension("x", Source.POINTER, "/list/0/a~1b")) == ("7",)
    form = Dimension("brand", Source.FORM, "card[brand]")
    assert read(b"a=1&card%5Bbrand%5D=Amex&b", form) == ("amex",)
    in_form = Dimension("scheme", Source.BIN, "card[number]")
    assert read(f"card[number]={CARD}".encode(), in_form) == ("visa",)
    header = Dimension("channel", Source.HEADER, "x-channel")
    assert read(b"", header, X_Channel="Web Shop") == ("web_shop",)


@pytest.mark.parametrize(
    "body",
    [b"", b"text", b"{", b"[" * 3000, b"\xff", b'{"card": 1}', as_json(card={"scheme": None}),
     b'{"card": {"scheme": "visa"}, "x": "' + b"x" * BODY_BYTES_MAX + b'"}'],
)  # fmt: skip
def test_a_call_that_does_not_say_is_none(body: bytes) -> None:
    """No body, no JSON, not there, or more than is read: never an error."""
    form, header = Dimension("f", Source.FORM, "f"), Dimension("h", Source.HEADER, "h")
    assert read(body, SCHEME, NUMBER, form, header) == ("none",) * 4


def test_values_are_bounded_and_the_rest_is_other() -> None:
    """Those that came first are kept apart, in any spelling; later ones share one slice."""
    reader = Reader((Dimension("x", Source.POINTER, "/x", values_max=2),))

    def of(text: str) -> str:
        return reader.read(request(body=as_json(x=text)))[0]

    assert [of(text) for text in ("A", "b", "c", "a", "B", "d", "")] == [
        "a", "b", "other", "a", "b", "other", "none",
    ]  # fmt: skip


def test_a_long_text_of_a_known_value_is_not_kept() -> None:
    """Blanks around it, as many as a body holds, would be memory that applications fill."""
    reader = Reader((Dimension("scheme", Source.POINTER, "/s"),))
    for blanks in range(60_000, 60_050):
        assert reader.read(request(body=as_json(s="visa" + " " * blanks))) == ("visa",)
    ((_, values),) = reader._parts
    assert all(len(text) <= 64 for text in values._texts)


def test_values_that_are_listed_are_the_only_ones() -> None:
    """Whatever comes first."""
    reader = Reader((Dimension("x", Source.POINTER, "/x", values=("visa",)),))
    found = [reader.read(request(body=as_json(x=text)))[0] for text in ("jcb", "visa")]
    assert found == ["other", "visa"]


def test_ranges_of_ones_own_count() -> None:
    """Before those that are known."""
    own = Dimension("scheme", Source.BIN, "/n", ranges=((*span("9"), "own"),))
    assert read(as_json(n="9111 1111"), own) == ("own",)


@given(st.binary(max_size=200) | st.text(max_size=50).map(lambda text: as_json(x=text, y=[text])))
def test_no_body_breaks_it_and_no_value_is_long(body: bytes) -> None:
    """Whatever an application sends."""
    sources = (Dimension("x", Source.POINTER, "/x"), Dimension("y", Source.FORM, "x"),
               Dimension("z", Source.BIN, "/y/0"))  # fmt: skip
    for value in read(body, *sources):
        assert 0 < len(value) <= 32
        assert sum(map(str.isdigit, value)) <= 5

"""Configured headers are valid, and never those that the sidecar or HTTP itself needs."""

from __future__ import annotations

import pytest

from proxy.settings.headers import carries_credential, parse_header_name, parse_header_value
from proxy.settings.problems import Wrong


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "x_y", "!#$%&'*+-.^_`|~0aA"])
def test_tokens_are_names(name: str) -> None:
    """RFC 9110: tchar; the spelling stays."""
    assert parse_header_name(name) == name


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\n", "é", "(a)", "a\x00", "x" * 257])
def test_anything_else_is_no_name(name: str) -> None:
    """Also a name with its colon, as copied from a log."""
    with pytest.raises(Wrong, match="not a header name"):
        parse_header_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "CONNECTION",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Upgrade",
        "Expect",
        "Proxy-Authorization",
        "proxy-connection",
        "traceparent",
        "TraceState",
        "baggage",
        "Tidegate-Token",
        "tidegate-x",
    ],
)
def test_headers_of_the_sidecar_are_not_configured(name: str) -> None:
    """Whatever the case."""
    with pytest.raises(Wrong, match=r"is a .*header"):
        parse_header_name(name)


@pytest.mark.parametrize("value", ["x", "Bearer a.b-c=", "a \t b", '"~!'])
def test_printable_ascii_is_a_value(value: str) -> None:
    """With blanks inside."""
    assert parse_header_value(value) == value


@pytest.mark.parametrize("value", ["", " x", "x ", "a\nb", "a\rb", "a\x00", "\x7f", "é", "\t"])
def test_anything_else_is_no_value(value: str) -> None:
    """A line break would be another header."""
    with pytest.raises(Wrong) as caught:
        parse_header_value(value)
    assert caught.value.message == "is not a header value"


@pytest.mark.parametrize(
    ("name", "carries"),
    [
        ("Authorization", True),
        ("X-API-Key", True),
        ("Cookie", True),
        ("X-Signature", True),
        ("X-Channel", False),
        ("Accept", False),
    ],
)
def test_credentials_are_known_by_name(name: str, carries: bool) -> None:
    """Only to warn when one stands in the file."""
    assert carries_credential(name) is carries

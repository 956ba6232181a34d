"""Rules for what name servers say."""

from __future__ import annotations

import socket

import pytest

from proxy.dns.answers import Answer, Answers, Records, literal

SOME = Records(("192.0.2.1",), 60.0)


@pytest.mark.parametrize(
    ("ipv4", "ipv6", "reason"),
    [
        ("no_such_name", "no_such_name", "no_such_name"),
        ("no_addresses", "no_addresses", "no_addresses"),
        ("no_addresses", "no_such_name", "no_such_name"),
        ("no_such_name", "timeout", "timeout"),
        ("server_failure", "no_addresses", "server_failure"),
        (SOME, "timeout", "timeout"),
    ],
)
def test_whoever_failed_says_more_than_whoever_is_empty(
    ipv4: Answer, ipv6: Answer, reason: str
) -> None:
    """An empty answer for one family is no news beside a silent one for the other."""
    assert Answers(ipv4, ipv6).reason == reason
    assert Answers(ipv6, ipv4).reason == reason


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.5", (socket.AF_INET, "192.0.2.5")),
        ("2001:db8::5", (socket.AF_INET6, "2001:db8::5")),
        ("[2001:DB8:0::5]", (socket.AF_INET6, "2001:db8::5")),
    ],
)
def test_addresses_are_known_as_such(text: str, address: object) -> None:
    """In their shortest spelling."""
    assert literal(text) == address


@pytest.mark.parametrize("text", ["", "example", "1.2.3", "256.1.1.1", "1.2.3.4:80", "::g"])
def test_what_is_no_address_is_none(text: str) -> None:
    """Then it is a name."""
    assert literal(text) is None

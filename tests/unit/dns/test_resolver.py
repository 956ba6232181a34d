"""`proxy.dns.resolver`: who is asked for an address, and when nobody is."""

from __future__ import annotations

import socket

import pytest

from proxy.dns.resolver import Address, Resolver, literal

FOUND: list[Address] = [(socket.AF_INET, "192.0.2.1")]


class _Lookup:
    """Notes what is asked and answers what it was given."""

    def __init__(self, answer: list[Address] | str = "no_such_name") -> None:
        self.asked: list[tuple[str, float]] = []
        self._answer = answer

    async def __call__(self, name: str, within_s: float) -> list[Address] | str:
        self.asked.append((name, within_s))
        return self._answer


async def test_pinned_addresses_are_used_without_asking() -> None:
    """In their order, whatever the name."""
    lookup = _Lookup()
    resolver = Resolver(("203.0.113.7", "2001:db8::7"), lookup)
    assert await resolver.resolve("api.example.com", 5.0) == [
        (socket.AF_INET, "203.0.113.7"),
        (socket.AF_INET6, "2001:db8::7"),
    ]
    assert lookup.asked == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("192.0.2.5", [(socket.AF_INET, "192.0.2.5")]),
        ("2001:db8::5", [(socket.AF_INET6, "2001:db8::5")]),
        ("[2001:DB8:0::5]", [(socket.AF_INET6, "2001:db8::5")]),
        ("localhost", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]),
        ("LocalHost.", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]),
    ],
)
async def test_addresses_and_this_machine_are_known(name: str, expected: list[Address]) -> None:
    """Name servers are not asked for what they cannot know better."""
    lookup = _Lookup()
    assert await Resolver((), lookup).resolve(name, 5.0) == expected
    assert lookup.asked == []


@pytest.mark.parametrize("answer", [FOUND, "server_failure"])
async def test_every_other_name_is_asked_for_with_the_time_there_is(
    answer: list[Address] | str,
) -> None:
    """The answer or the reason passes as it is."""
    lookup = _Lookup(answer)
    assert await Resolver((), lookup).resolve("localhost.example.com", 2.5) == answer
    assert lookup.asked == [("localhost.example.com", 2.5)]


@pytest.mark.parametrize("text", ["", "example", "1.2.3", "256.1.1.1", "1.2.3.4:80", "::g"])
def test_what_is_no_address_is_none(text: str) -> None:
    """Then it is a name."""
    assert literal(text) is None

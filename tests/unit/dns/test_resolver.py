"""`proxy.dns.resolver`: who is asked for an address, and when nobody is."""

from __future__ import annotations

import socket

import pytest

from proxy.dns.answers import Address, Answers, Records
from proxy.dns.cache import Bounds
from proxy.dns.names import Name, Names
from proxy.dns.resolver import Resolver, name_of
from tests.support.manual_clock import ManualClock


class _Lookup:
    """Notes what is asked and answers what it was given."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, name: str, grace_s: float) -> Answers:
        self.asked.append(name)
        return Answers(Records(("192.0.2.1",), 60.0), "no_addresses")


def names(lookup: _Lookup, *known: Name) -> Names:
    """A house of names, any address of which may be connected to."""
    allowed = {private: (lambda _: True) for private in (False, True)}
    return Names(known, lookup, allowed, Bounds(), ManualClock(), lambda _: None)


async def test_pinned_addresses_are_used_without_asking() -> None:
    """In their order, whatever the name."""
    lookup = _Lookup()
    resolver = Resolver(("203.0.113.7", "2001:db8::7"), names(lookup), private=False)
    assert resolver.resolve("api.example.com", 5.0) == [
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
    assert name_of(name, (), private=False) is None
    assert Resolver((), names(_Lookup()), private=False).resolve(name, 5.0) == expected


async def test_every_other_name_is_one_of_those_kept_fresh() -> None:
    """However it is spelled; once known it is at hand."""
    lookup = _Lookup()
    kept = names(lookup, Name("localhost.example.com", True))
    resolver = Resolver((), kept, private=True)
    first = resolver.resolve("LocalHost.example.com.", 5.0)
    assert not isinstance(first, list | str)
    assert await first == [(socket.AF_INET, "192.0.2.1")]
    assert resolver.resolve("localhost.example.com", 5.0) == [(socket.AF_INET, "192.0.2.1")]
    assert lookup.asked == ["localhost.example.com"]


def test_a_pinned_upstream_has_no_name_to_ask_for() -> None:
    """Nor has one whose host is an address."""
    assert name_of("api.example.com", ("192.0.2.1",), private=False) is None
    assert name_of("API.example.com.", (), private=True) == Name("api.example.com", True)

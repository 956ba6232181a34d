"""Rules for resolved addresses: which ones a partner's name may never lead to."""

from __future__ import annotations

import ipaddress
import time

import pytest

from proxy.dns.policy import PRIVATE_KINDS, REASONS, forbidden

PUBLIC, NOTHING = "public", "nothing"
RANGES = [
    # a range, its reason, and those of the addresses right before and right behind it
    ("0.0.0.0/8", "unspecified", NOTHING, PUBLIC),
    ("10.0.0.0/8", "private", PUBLIC, PUBLIC),
    ("100.64.0.0/10", "shared", PUBLIC, PUBLIC),
    ("100.100.100.200/32", "metadata", "shared", "shared"),
    ("127.0.0.0/8", "loopback", PUBLIC, PUBLIC),
    ("168.63.129.16/32", "metadata", PUBLIC, PUBLIC),
    ("169.254.0.0/16", "link_local", PUBLIC, PUBLIC),
    ("169.254.0.23/32", "metadata", "link_local", "link_local"),
    ("169.254.42.42/32", "metadata", "link_local", "link_local"),
    ("169.254.169.254/32", "metadata", "link_local", "link_local"),
    ("169.254.170.2/32", "metadata", "link_local", "link_local"),
    ("169.254.170.23/32", "metadata", "link_local", "link_local"),
    ("172.16.0.0/12", "private", PUBLIC, PUBLIC),
    ("192.0.0.0/24", "reserved", PUBLIC, PUBLIC),
    ("192.0.0.192/32", "metadata", "reserved", "reserved"),
    ("192.0.2.0/24", "documentation", PUBLIC, PUBLIC),
    ("192.31.196.0/24", "reserved", PUBLIC, PUBLIC),
    ("192.52.193.0/24", "reserved", PUBLIC, PUBLIC),
    ("192.88.99.0/24", "reserved", PUBLIC, PUBLIC),
    ("192.168.0.0/16", "private", PUBLIC, PUBLIC),
    ("192.175.48.0/24", "reserved", PUBLIC, PUBLIC),
    ("198.18.0.0/15", "benchmarking", PUBLIC, PUBLIC),
    ("198.51.100.0/24", "documentation", PUBLIC, PUBLIC),
    ("203.0.113.0/24", "documentation", PUBLIC, PUBLIC),
    ("224.0.0.0/4", "multicast", PUBLIC, "reserved"),
    ("240.0.0.0/5", "reserved", "multicast", "reserved"),
    ("255.255.255.255/32", "broadcast", "reserved", NOTHING),
    ("::/128", "unspecified", NOTHING, "loopback"),
    ("::1/128", "loopback", "unspecified", "unspecified"),
    ("::808:0/112", "reserved", "reserved", "reserved"),  # IPv4-compatible, of a public address
    ("::1:0:0:0/80", "reserved", "broadcast", "reserved"),
    ("::ffff:0:808:0/112", "reserved", "reserved", "reserved"),  # IPv4-translated
    ("100::/64", "reserved", "reserved", "reserved"),  # discard
    ("100:0:0:1::/64", "reserved", "reserved", "reserved"),  # dummy
    ("200::/7", "reserved", "reserved", "reserved"),
    ("64:ff9a::/32", "reserved", "reserved", "unspecified"),
    ("64:ff9b:2::/48", "reserved", "broadcast", "reserved"),
    ("1000::/4", "reserved", "reserved", PUBLIC),
    ("2001:1::/48", "reserved", "broadcast", "reserved"),  # anycast of PCP, TURN and DNS-SD
    ("2001:2::/48", "benchmarking", "reserved", "reserved"),
    ("2001:3::/32", "reserved", "reserved", "reserved"),  # AMT
    ("2001:4:112::/48", "reserved", "reserved", "reserved"),  # AS112
    ("2001:10::/28", "reserved", "reserved", "reserved"),  # ORCHID
    ("2001:20::/28", "reserved", "reserved", "reserved"),  # ORCHID, version 2
    ("2001:30::/28", "reserved", "reserved", "reserved"),  # drones
    ("2001:100::/24", "reserved", "reserved", PUBLIC),
    ("2001:db8::/32", "documentation", PUBLIC, PUBLIC),
    ("2620:4f:8000::/48", "reserved", PUBLIC, PUBLIC),
    ("3fff::/20", "documentation", PUBLIC, PUBLIC),
    ("4000::/3", "reserved", PUBLIC, "reserved"),
    ("5f00::/16", "reserved", "reserved", "reserved"),  # segment identifiers
    ("fc00::/7", "private", "reserved", "reserved"),
    ("fd00:42::42/128", "metadata", "private", "private"),
    ("fd00:ec2::23/128", "metadata", "private", "private"),
    ("fd00:ec2::254/128", "metadata", "private", "private"),
    ("fd20:ce::254/128", "metadata", "private", "private"),
    ("fe00::/9", "reserved", "private", "link_local"),
    ("fe80::/10", "link_local", "reserved", "reserved"),
    ("fe80::a9fe:a9fe/128", "metadata", "link_local", "link_local"),
    ("fec0::/10", "reserved", "link_local", "multicast"),  # site-local
    ("ff00::/8", "multicast", "reserved", NOTHING),
]


def told(number: int, version: int, *, allow_private: bool = False) -> str:
    """The verdict on an address given as a number."""
    width = 32 if version == 4 else 128
    if not 0 <= number < 1 << width:
        return NOTHING
    address = ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number)
    return forbidden(str(address), allow_private=allow_private) or PUBLIC


@pytest.mark.parametrize("row", RANGES, ids=lambda row: row[0])
def test_ranges(row: tuple[str, str, str, str]) -> None:
    """First, middle and last address have the range's reason; its neighbours have their own."""
    text, reason, below, above = row
    network = ipaddress.ip_network(text)
    first, last = int(network[0]), int(network[-1])
    for number in (first, (first + last) // 2, last):
        assert told(number, network.version) == reason
        admitted = reason in PRIVATE_KINDS
        found = told(number, network.version, allow_private=True)
        assert found == (PUBLIC if admitted else reason)
    assert (told(first - 1, network.version), told(last + 1, network.version)) == (below, above)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "9.255.255.255", "151.101.1.1", "223.255.255.255", "2000::",
     "2001:200::", "2003::1", "2606:4700::6810:85e5", "2a00:1450:4001::200e", "3fff:1000::",
     "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
)  # fmt: skip
@pytest.mark.parametrize("allow_private", [False, True])
def test_public_addresses(address: str, allow_private: bool) -> None:
    """May be connected to, whatever the upstream allows."""
    assert forbidden(address, allow_private=allow_private) is None


INSIDE = {
    "0.0.0.0": "unspecified", "10.1.2.3": "private", "100.64.1.1": "shared",
    "100.100.100.200": "metadata", "127.0.0.1": "loopback", "168.63.129.16": "metadata",
    "169.254.1.1": "link_local", "169.254.169.254": "metadata", "172.31.255.254": "private",
    "192.0.0.8": "reserved", "192.0.2.1": "documentation", "192.168.0.1": "private",
    "198.18.0.1": "benchmarking", "224.0.0.1": "multicast", "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast", "8.8.8.8": None,
}  # fmt: skip
"""IPv4 addresses to wrap up, and their reasons."""

WRAPPINGS = {
    # how an address is wrapped, and whether a public one may be reached so
    "mapped": ("::ffff:{v4}", None),
    "compatible": ("::{v4}", "reserved"),
    "translated": ("::ffff:0:{v4}", "reserved"),
    "NAT64": ("64:ff9b::{v4}", None),
    "local NAT64, 96 bits": ("64:ff9b:1::{v4}", None),
    "local NAT64, 64 bits": ("64:ff9b:1:0:{a:02x}:{b:02x}{c:02x}:{d:02x}00:0", None),
    "local NAT64, 56 bits": ("64:ff9b:1:{a:02x}:{b:02x}:{c:02x}{d:02x}::", None),
    "local NAT64, 48 bits": ("64:ff9b:1:{a:02x}{b:02x}:{c:02x}:{d:02x}00::", None),
    "6to4": ("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1", None),
    "Teredo's server": ("2001:0:{a:02x}{b:02x}:{c:02x}{d:02x}:8000:63bf:f7f7:f7f7", None),
    "Teredo's client": ("2001:0:808:808:8000:63bf:{na:02x}{nb:02x}:{nc:02x}{nd:02x}", None),
    "ISATAP": ("2a00:1450:4001:1:0:5efe:{v4}", None),
    "ISATAP, universal": ("2a00:1450:4001:1:200:5efe:{v4}", None),
    "ISATAP, group": ("2a00:1450:4001:1:300:5efe:{v4}", None),
    "ISATAP in 6to4": ("2002:808:808:1:0:5efe:{v4}", None),
    "ISATAP in a private network": ("fd12:3456:789a:1:0:5efe:{v4}", "private"),
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("inside", INSIDE)
def test_carried_addresses(wrapping: str, inside: str) -> None:
    """What an IPv6 address carries is judged as if it stood there by itself."""
    form, if_public = WRAPPINGS[wrapping]
    octets = dict(zip("abcd", ipaddress.IPv4Address(inside).packed, strict=True))
    inverted = {f"n{letter}": 255 - octet for letter, octet in octets.items()}
    wrapped = form.format(v4=inside, **octets, **inverted)
    expected = INSIDE[inside] or if_public
    assert forbidden(wrapped, allow_private=False) == expected
    admitted = None if INSIDE[inside] in PRIVATE_KINDS else INSIDE[inside]
    admitted = admitted or (None if if_public in PRIVATE_KINDS else if_public)
    assert forbidden(wrapped, allow_private=True) == admitted


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("64:ff9b:1:aa00:8:808:800:0", None),  # 8.8.8.8 behind a subnet's prefix of 64 bits
        ("64:ff9b:1:5::8.8.8.8", None),
        ("64:ff9b:1:5::10.0.0.1", "private"),
        ("64:ff9b:1:808:a:0:101:101", "private"),  # 10.0.1.1 for 64 bits, 8.8.10.0 for 48
        ("64:ff9b:1:a00:0:101:101:101", "private"),  # 10.0.1.1 for 48 bits, 1.1.1.1 for 96
        ("64:ff9b:1::", "unspecified"),
    ],
)
def test_a_local_prefix_of_unknown_length(address: str, reason: str | None) -> None:
    """Every place is judged at which the network's translator may find the address."""
    assert forbidden(address, allow_private=False) == reason


@pytest.mark.parametrize("address", ["fe80::1%eth0", "fe80::1%1", "::1%lo", "2606:4700::1%eth0"])
@pytest.mark.parametrize("allow_private", [False, True])
def test_scoped_addresses(address: str, allow_private: bool) -> None:
    """Name servers have none to give; the scope would choose the network."""
    assert forbidden(address, allow_private=allow_private) == "scoped"


@pytest.mark.parametrize(
    "text",
    ["", " ", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.01",
     "127.0.0.1 ", "127.0.0.1:80", "[::1]", "10.0.0.0/8", "1.2.3.4.5", "::1%", ":::",
     "::ffff:1.2.3", "127.0.0.1\n", "127.0.0.1\x00", "１２７.0.0.1", "fe80::1%a%b"],
)  # fmt: skip
def test_texts_that_are_no_addresses(text: str) -> None:
    """Nobody guesses what a socket would make of them."""
    assert forbidden(text, allow_private=True) == "not_an_address"


def test_reasons_are_a_fixed_vocabulary() -> None:
    """So that a metric may be labelled with them."""
    assert {row[1] for row in RANGES} | {"scoped", "not_an_address"} == REASONS
    assert PRIVATE_KINDS < REASONS


def test_a_verdict_is_cheap() -> None:
    """It is asked for once per address of an answer; a hundredth of a lookup is plenty."""
    addresses = ["223.255.255.255", "2606:4700::6810:85e5", "64:ff9b:1::1.1.1.1", "ffff::1"]
    begun_at = time.process_time()
    for _ in range(250):
        for address in addresses:
            forbidden(address, allow_private=False)
    assert (time.process_time() - begun_at) / 1000 < 200e-6

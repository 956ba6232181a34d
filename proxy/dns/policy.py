"""PURE. Which resolved addresses may be connected to.

Whoever answers for a partner's name could point it at our own machine, our
network or a cloud's metadata service, and the sidecar would carry a partner's
credentials there. So the resolved address is judged, and the one that was
judged is the one connected to.

The tables are those of IANA (iana-ipv4-special-registry,
iana-ipv6-special-registry, ipv6-address-space), written out: what
`ipaddress` calls global differs between releases of Python. Where an IPv6
address carries an IPv4 one, the packet may end there, so that is judged too.
Of networks with a translation prefix of their own, nothing can be known here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Final

PRIVATE_KINDS: Final = frozenset({"link_local", "loopback", "private", "shared"})
"""Reasons that `allow_private` sets aside: what a network may hold on purpose."""

REASONS: Final = PRIVATE_KINDS | {
    "benchmarking", "broadcast", "documentation", "metadata", "multicast", "not_an_address",
    "reserved", "scoped", "unspecified",
}  # fmt: skip
"""Every reason there is."""

_METADATA: Final = {
    "100.100.100.200": "Alibaba",
    "168.63.129.16": "Azure's agent; a public address that only its machines can reach",
    "169.254.0.23": "Tencent",
    "169.254.42.42": "Scaleway",
    "169.254.169.254": "AWS, Azure, Google, Oracle, OpenStack and others",
    "169.254.170.2": "AWS, credentials of containers",
    "169.254.170.23": "AWS, credentials of pods",
    "192.0.0.192": "Oracle, first generation",
    "fd00:42::42": "Scaleway",
    "fd00:ec2::23": "AWS, credentials of pods",
    "fd00:ec2::254": "AWS",
    "fd20:ce::254": "Google",
    "fe80::a9fe:a9fe": "OpenStack",
}
_IPV4: Final = {
    "0.0.0.0/8": "unspecified",  # Linux takes 0.0.0.0 for this machine
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link_local",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "reserved",  # protocol assignments
    "192.0.2.0/24": "documentation",
    "192.31.196.0/24": "reserved",  # AS112
    "192.52.193.0/24": "reserved",  # AMT
    "192.88.99.0/24": "reserved",  # 6to4 relays, deprecated
    "192.168.0.0/16": "private",
    "192.175.48.0/24": "reserved",  # AS112
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "255.255.255.255/32": "broadcast",  # before the range it lies in
    "240.0.0.0/4": "reserved",
}
_IPV6: Final = {
    "::/128": "unspecified",
    "::1/128": "loopback",
    "2001::/32": None,  # Teredo, judged by what it carries
    "2001:2::/48": "benchmarking",
    "2001::/23": "reserved",  # protocol assignments, ORCHID, drone identifiers
    "2001:db8::/32": "documentation",
    "2620:4f:8000::/48": "reserved",  # AS112
    "3fff::/20": "documentation",
    "2000::/3": None,  # global unicast
    "::ffff:0:0/96": None,  # these three are judged by what they carry
    "64:ff9b::/96": None,
    "64:ff9b:1::/48": None,
    "fc00::/7": "private",
    "fe80::/10": "link_local",
    "ff00::/8": "multicast",
    "::/0": "reserved",  # of all the rest, nothing has been handed out to hosts
}

_Row = tuple[int, int, str | None]


def _rows(table: dict[str, str] | dict[str, str | None]) -> Iterator[_Row]:
    for text, reason in table.items():
        network = ipaddress.ip_network(text)
        yield int(network.network_address), int(network.netmask), reason


_METADATA_ADDRESSES: Final = frozenset(map(ipaddress.ip_address, _METADATA))
_METADATA_IPV4: Final = frozenset(int(a) for a in _METADATA_ADDRESSES if a.version == 4)
_METADATA_IPV6: Final = frozenset(int(a) for a in _METADATA_ADDRESSES if a.version == 6)
_IPV4_ROWS: Final = tuple(_rows(_IPV4))
_IPV6_ROWS: Final = tuple(_rows(_IPV6))


def forbidden(address: str, *, allow_private: bool) -> str | None:
    """None if it may be connected to, or else why not: a word of REASONS.

    `allow_private` admits loopback, private, link-local and shared addresses,
    but never a cloud's metadata service. An address with a scope, like
    `fe80::1%eth0`, comes from no name server and is refused.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "not_an_address"
    if parsed.version == 4:
        reasons: Iterable[str | None] = (_ipv4_reason(int(parsed)),)
    elif parsed.scope_id is not None:
        return "scoped"
    else:
        reasons = _ipv6_reasons(int(parsed))
    allowed = PRIVATE_KINDS if allow_private else frozenset[str]()
    return next((reason for reason in reasons if reason and reason not in allowed), None)


def _ipv4_reason(number: int) -> str | None:
    return "metadata" if number in _METADATA_IPV4 else _of(_IPV4_ROWS, number)


def _ipv6_reasons(number: int) -> Iterator[str | None]:
    """Of what it carries first: that tells more than the wrapping."""
    if number in _METADATA_IPV6:
        yield "metadata"
    if number > 1:
        yield from map(_ipv4_reason, _carried(number))
    yield _of(_IPV6_ROWS, number)


def _of(rows: tuple[_Row, ...], number: int) -> str | None:
    return next((reason for base, mask, reason in rows if number & mask == base), None)


def _carried(number: int) -> Iterator[int]:
    """IPv4 addresses to which a packet for this IPv6 address may be sent on."""
    low = number & 0xFFFF_FFFF
    if number >> 32 in (0, 0xFFFF, 0xFFFF_0000, 0x64FF9B << 64):
        yield low  # IPv4-compatible, IPv4-mapped, IPv4-translated, NAT64
    elif number >> 80 == 0x64_FF9B_0001:
        yield from _locally_translated(number)
    elif number >> 112 == 0x2002:
        yield number >> 80 & 0xFFFF_FFFF  # 6to4
    elif number >> 96 == 0x2001_0000:
        yield number >> 64 & 0xFFFF_FFFF  # Teredo: its server
        yield low ^ 0xFFFF_FFFF  # and its client
    if number >> 32 & 0xFCFF_FFFF == 0x5EFE:
        yield low  # ISATAP, with the bits "universal" and "group" either way


def _locally_translated(number: int) -> Iterator[int]:
    """Of NAT64 with a local prefix, whose length nobody tells: wherever it may stand.

    The prefix has 48, 56, 64 or 96 bits, bits 64 to 71 are left out, and zeros alone follow
    (RFC 6052, 2.2). A place whose first byte is zero is none, but the last always counts.
    """
    joined = (number >> 64 & 0xFFFF) << 56 | number & 0xFF_FFFF_FFFF_FFFF
    for behind in (40, 32, 24):
        place = joined >> behind & 0xFFFF_FFFF
        if place >> 24:
            yield place
            if not joined & (1 << behind) - 1:
                return
    yield number & 0xFFFF_FFFF

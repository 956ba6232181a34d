"""PURE. What name servers say: addresses of each family with their time to live, or a reason."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

Address = tuple[socket.AddressFamily, str]


@dataclass(frozen=True, slots=True)
class Records:
    """Addresses of one family, in the order of the answer; the shortest `ttl_s` of its records."""

    addresses: tuple[str, ...]
    ttl_s: float


Answer = Records | str
"""Records, or a word for why there are none."""

CONCLUSIVE = frozenset(("no_such_name", "no_addresses"))
"""Words that the name server itself said; all others mean that nobody knows."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Of both families to one question for a name."""

    ipv4: Answer
    ipv6: Answer

    @property
    def reason(self) -> str:
        """Why there are no addresses at all: whoever failed says more than whoever is empty."""
        words = [each for each in (self.ipv4, self.ipv6) if isinstance(each, str)]
        failed = [word for word in words if word not in CONCLUSIVE]
        return next(iter([*failed, *sorted(words, reverse=True)]), "")


def literal(address: str) -> Address | None:
    """The address that a text is, if it is one; brackets of IPv6 are accepted."""
    try:
        parsed = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return None
    family = socket.AF_INET if parsed.version == 4 else socket.AF_INET6
    return family, str(parsed)

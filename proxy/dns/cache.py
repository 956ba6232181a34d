"""PURE. What is known of a name, and what an answer makes of that.

The rule behind all others: an address that worked is better than no address. A
name that was resolved once keeps its addresses, past their time to live, for as
long as the name servers fail (RFC 8767), at most `stale_max_s`. And an answer
that says that a name which worked has gone, or has no addresses, is no reason
to stop payments: it is taken for a failure, named, and asked again.

    state      the name has addresses that      and
    fresh      were confirmed within their TTL
    stale      were not                         are at most `stale_max_s` old
    negative   (none)                           somebody said why, a moment ago
    unknown    (none)
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from proxy.dns.answers import Address, Answer, Answers, Records

_REFRESH_FROM, _REFRESH_TO = 0.82, 0.92
"""Of the time to live: early enough for a slow name server, and 1.15 questions per TTL at most."""
_RETRY_FIRST_S = 1.0
RETRY_MAX_S = 30.0
"""RFC 8767 asks for no more than one question each 30 s while name servers fail."""
FORBIDDEN = "forbidden_address"
ADDRESSES_MAX = 32
"""Of one family. An answer over TCP may hold 4,000, and the race would dial them all at once."""

Allowed = Callable[[str], bool]


class State(StrEnum):
    """How much a name's addresses are worth."""

    FRESH = "fresh"
    STALE = "stale"
    NEGATIVE = "negative"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds."""

    ttl_min_s: float = 5.0
    ttl_max_s: float = 300.0
    stale_max_s: float = 86_400.0
    negative_max_s: float = 30.0


@dataclass(slots=True)
class Entry:
    """One name; instants are monotonic seconds."""

    name: str
    ipv4: tuple[str, ...] = ()
    ipv6: tuple[str, ...] = ()
    good_at: float = float("-inf")
    """When name servers last confirmed that the name has addresses."""
    fresh_until: float = float("-inf")
    refresh_at: float = float("-inf")
    """When to ask again; at once, for a name that nobody has asked for yet."""
    negative_until: float = float("-inf")
    failing_since: float | None = None
    failures: int = 0
    """In a row."""
    reason: str = ""
    """Of the last failure."""
    orders: list[list[Address]] = field(default_factory=list)
    """The addresses, beginning with each of them in turn."""
    turn: int = 0

    def state(self, now: float, bounds: Bounds) -> State:
        """What it is worth now."""
        if self.orders and now < self.fresh_until:
            return State.FRESH
        if self.orders and now < self.good_at + bounds.stale_max_s:
            return State.STALE
        return State.NEGATIVE if now < self.negative_until else State.UNKNOWN


def answered(
    entry: Entry, answers: Answers, now: float, bounds: Bounds, allowed: Allowed, chance: float
) -> None:
    """What name servers said; `chance` (0 to 1) spreads the next question.

    Addresses that are not `allowed` count as if they had not been said.
    """
    permitted = Answers(_permitted(answers.ipv4, allowed), _permitted(answers.ipv6, allowed))
    found = [each for each in (permitted.ipv4, permitted.ipv6) if isinstance(each, Records)]
    if not found:
        _failed(entry, permitted.reason, now, bounds, chance)
        return
    ttl_s = min(max(min(each.ttl_s for each in found), bounds.ttl_min_s), bounds.ttl_max_s)
    entry.ipv4 = _merged(entry.ipv4, permitted.ipv4)
    entry.ipv6 = _merged(entry.ipv6, permitted.ipv6)
    entry.orders = orders(entry.ipv4, entry.ipv6)
    entry.good_at, entry.fresh_until = now, now + ttl_s
    share = _REFRESH_FROM + (_REFRESH_TO - _REFRESH_FROM) * chance
    entry.refresh_at = now + ttl_s * share
    entry.failures, entry.failing_since, entry.reason = 0, None, ""


def remembered(entry: Entry, ipv4: tuple[str, ...], ipv6: tuple[str, ...], good_at: float) -> None:
    """What an earlier run knew: usable, and to be asked for at once."""
    entry.ipv4, entry.ipv6, entry.good_at = ipv4[:ADDRESSES_MAX], ipv6[:ADDRESSES_MAX], good_at
    entry.orders = orders(entry.ipv4, entry.ipv6)


def orders(ipv4: tuple[str, ...], ipv6: tuple[str, ...]) -> list[list[Address]]:
    """IPv4 first, each family turned by one from order to order, so that all get their share."""
    four: list[Address] = [(socket.AF_INET, address) for address in ipv4]
    six: list[Address] = [(socket.AF_INET6, address) for address in ipv6]
    return [_turned(four, turn) + _turned(six, turn) for turn in range(max(len(four), len(six)))]


def _turned(addresses: list[Address], by: int) -> list[Address]:
    by = by % len(addresses) if addresses else 0
    return addresses[by:] + addresses[:by]


def _permitted(answer: Answer, allowed: Allowed) -> Answer:
    if isinstance(answer, str):
        return answer
    kept = tuple(address for address in answer.addresses if allowed(address))
    return Records(kept[:ADDRESSES_MAX], answer.ttl_s) if kept else FORBIDDEN


def _merged(known: tuple[str, ...], answer: Answer) -> tuple[str, ...]:
    """A family that nobody could tell about keeps what it had; one that is empty loses it."""
    if isinstance(answer, Records):
        return answer.addresses
    return () if answer in ("no_addresses", "no_such_name", FORBIDDEN) else known


def _failed(entry: Entry, reason: str, now: float, bounds: Bounds, chance: float) -> None:
    retry_s = min(RETRY_MAX_S, _RETRY_FIRST_S * 2.0 ** min(entry.failures, 10))
    entry.refresh_at = now + retry_s * (0.8 + 0.2 * chance)
    entry.failures += 1
    entry.failing_since = now if entry.failing_since is None else entry.failing_since
    entry.reason = reason
    entry.negative_until = now + min(bounds.negative_max_s, retry_s)

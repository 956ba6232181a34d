"""Asks the name servers, through aiodns, which is used nowhere else.

Names are asked as they stand, never through search domains (`query_dns` does
not apply them, which tests/assumptions pins). c-ares keeps an own cache that
cannot be switched off, so every lookup uses a fresh resolver: 0.7 ms, and the
answer is the network's.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import aiodns

_REASONS = {
    1: "no_addresses",
    3: "server_failure",
    4: "no_such_name",
    6: "refused",
    11: "no_server",
    12: "timeout",
}
"""c-ares status codes (ares.h); 6 is an answer, 11 is nobody listening at the name server."""

_SECOND_FAMILY_S = 0.05
"""How long addresses in hand wait for those of the other family (RFC 8305, section 3): there are
resolvers that never answer a question for AAAA, and a payment must not wait for them."""

Address = tuple[socket.AddressFamily, str]
Question = asyncio.Task[list[Address] | str]


async def lookup(
    name: str, within_s: float, nameservers: Sequence[str] | None = None
) -> list[Address] | str:
    """Addresses of an absolute name, IPv4 first; or the reason that there are none."""
    resolver = aiodns.DNSResolver(nameservers=nameservers, timeout=max(0.1, within_s / 2), tries=2)
    questions = [
        asyncio.create_task(_query(resolver, name, "A", socket.AF_INET)),
        asyncio.create_task(_query(resolver, name, "AAAA", socket.AF_INET6)),
    ]
    try:
        answers = await _answers(questions)
    finally:
        for question in questions:
            question.cancel()
        await asyncio.gather(*questions, return_exceptions=True)
        await resolver.close()
    addresses = [address for answer in answers if isinstance(answer, list) for address in answer]
    if addresses:
        return addresses
    reasons = [answer for answer in answers if isinstance(answer, str)]
    return next((reason for reason in reasons if reason != "no_addresses"), "no_addresses")


async def _answers(questions: list[Question]) -> list[list[Address] | str]:
    """Both answers, or the one that holds addresses when the other is late."""
    done, late = await asyncio.wait(questions, return_when=asyncio.FIRST_COMPLETED)
    if late:
        found = any(not isinstance(question.result(), str) for question in done)
        await asyncio.wait(late, timeout=_SECOND_FAMILY_S if found else None)
    return [question.result() for question in questions if question.done()]


async def _query(
    resolver: aiodns.DNSResolver, name: str, kind: str, family: socket.AddressFamily
) -> list[Address] | str:
    try:
        result = await resolver.query_dns(name, kind)
    except aiodns.error.DNSError as error:
        return _REASONS.get(error.args[0] if error.args else 0, "dns_failed")
    answer = result.answer
    found = [(family, record.data.addr) for record in answer if hasattr(record.data, "addr")]
    return found or "no_addresses"

"""Asks name servers, through aiodns, which is used nowhere else.

Names are asked as they stand, never through search domains (`query_dns` does
not apply them). c-ares keeps an own cache that cannot be switched off, so every
question uses a fresh resolver: 0.7 ms, and the answer is the network's. Its
timeouts grow and adapt, so the clock is ours, and the servers are asked one by
one. What is relied on is pinned in tests/assumptions/test_aiodns.py.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.dns.answers import CONCLUSIVE, Answer, Answers, Records, literal

if TYPE_CHECKING:
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
_ROUNDS = 2
"""Times that each name server is asked."""
TOTAL_S = 5.0
GRACE_S = 0.05
"""How long addresses in hand wait for those of the other family (RFC 8305, section 3): there are
resolvers that never answer a question for AAAA, and a payment must not wait for them."""
_RESOLV_CONF = Path("/etc/resolv.conf")

Tell = Callable[[str, str, float], None]
"""(record type, result, seconds) of one question to one name server."""


class Lookup:
    """Asks `nameservers` (`IP` or `IP:PORT`), or the system's, read anew when they change.

    Each question to one server ends within `timeout_s`, and a name within `total_s`; at most
    `queries_max` questions are under way.
    """

    def __init__(
        self,
        nameservers: Sequence[str],
        timeout_s: float,
        tell: Tell,
        *,
        queries_max: int = 16,
        total_s: float = TOTAL_S,
        resolv_conf: Path = _RESOLV_CONF,
    ) -> None:
        self._nameservers = tuple(nameservers)
        self._timeout_s = timeout_s
        self._total_s = total_s
        self._tell = tell
        self._places = asyncio.Semaphore(queries_max)
        self._resolv_conf = resolv_conf
        self._read: tuple[float, tuple[str, ...]] = (-1.0, ())
        self._imported = False

    async def __call__(self, name: str, grace_s: float = TOTAL_S) -> Answers:
        """What name servers say of an absolute name.

        With the addresses of one family in hand, those of the other are waited for no longer
        than `grace_s`.
        """
        questions = [asyncio.ensure_future(self._ask(name, kind)) for kind in ("A", "AAAA")]
        ends_at = time.monotonic() + self._total_s
        try:
            done, late = await asyncio.wait(
                questions, timeout=self._total_s, return_when=asyncio.FIRST_COMPLETED
            )
            if late and done:
                found = any(isinstance(question.result(), Records) for question in done)
                left_s = max(0.0, ends_at - time.monotonic())
                await asyncio.wait(late, timeout=min(grace_s, left_s) if found else left_s)
        finally:
            for question in questions:
                question.cancel()
            await asyncio.gather(*questions, return_exceptions=True)
        ipv4, ipv6 = (
            "timeout" if question.cancelled() else question.result() for question in questions
        )
        return Answers(ipv4, ipv6)

    async def _ask(self, name: str, kind: str) -> Answer:
        """One server after the other, until one of them knows."""
        answer: Answer = "no_server"
        for _ in range(_ROUNDS):
            for server in self.servers():
                answer = await self._ask_one(server, name, kind)
                if isinstance(answer, Records) or answer in CONCLUSIVE:
                    return answer
        return answer

    async def _import(self) -> None:
        """Get aiodns with the first question: the payment port is open by then, and goes on."""
        if not self._imported:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, importlib.import_module, "aiodns")
            self._imported = True

    async def _ask_one(self, server: str, name: str, kind: str) -> Answer:
        await self._import()
        import aiodns

        async with self._places:
            began_at = time.monotonic()
            resolver = aiodns.DNSResolver(nameservers=[server], timeout=self._timeout_s, tries=1)
            try:
                async with asyncio.timeout(self._timeout_s):
                    answer = await _query(resolver, name, kind)
            except TimeoutError:
                answer = "timeout"
            finally:
                await resolver.close()
            result = "addresses" if isinstance(answer, Records) else answer
            self._tell(kind, result, time.monotonic() - began_at)
            return answer

    def servers(self) -> tuple[str, ...]:
        """Who is asked, in order."""
        if self._nameservers:
            return self._nameservers
        try:
            changed = self._resolv_conf.stat().st_mtime
            if changed != self._read[0]:
                text = self._resolv_conf.read_text(encoding="utf-8", errors="replace")
                self._read = (changed, system_servers(text))
        except OSError:
            self._read = (-1.0, self._read[1])
        return self._read[1] or ("127.0.0.1",)


def system_servers(text: str) -> tuple[str, ...]:
    """The name servers of a resolv.conf; what cannot be read is passed over."""
    lines = (line.split() for line in text.splitlines())
    named = [fields[1] for fields in lines if len(fields) > 1 and fields[0] == "nameserver"]
    return tuple(
        f"[{address}]" if ":" in address else address
        for address in named
        if literal(address.partition("%")[0]) is not None
    )


async def _query(resolver: aiodns.DNSResolver, name: str, kind: str) -> Answer:
    import aiodns

    try:
        result = await resolver.query_dns(name, kind)
    except aiodns.error.DNSError as error:
        return _REASONS.get(error.args[0] if error.args else 0, "dns_failed")
    data = [getattr(record.data, "addr", None) for record in result.answer]
    addresses = tuple(str(address) for address in data if address is not None)
    if not addresses:
        return "no_addresses"
    return Records(addresses, float(min(record.ttl for record in result.answer)))

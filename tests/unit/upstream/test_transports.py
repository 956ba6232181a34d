"""Rules for making all transports."""

from __future__ import annotations

import asyncio
import time

from proxy.http1.connect import Address
from proxy.model.route import TlsFiles, Upstream
from proxy.upstream.transports import transports
from tests.support.values import upstream


async def test_each_upstream_has_a_pool_and_shares_its_trust() -> None:
    """Loading the system's certificates takes 15 ms for each context."""

    async def nowhere(_: str, __: float) -> list[Address] | str:
        return "no_such_name"

    asked: list[str] = []

    def resolver(of: Upstream):  # type: ignore[no-untyped-def]
        asked.append(of.name)
        return nowhere

    made = transports(
        [
            upstream("plain"),
            upstream("one", tls=True, port=443),
            upstream("two", tls=True, port=443),
            upstream("other", tls=True, port=443, tls_files=TlsFiles(None)),
        ],
        resolver,
        time.monotonic,
        asyncio.get_running_loop(),
    )
    assert asked == ["plain", "one", "two", "other"]
    targets = {name: each.pool.target for name, each in made.items()}
    assert targets["plain"].tls is None
    assert targets["one"].tls is targets["two"].tls
    assert (targets["two"].host, targets["two"].server_name) == ("two.example", "two.example")

"""Rules for making all transports."""

from __future__ import annotations

import asyncio
import socket
import time

from proxy.http1.client import ClientConnection
from proxy.http1.connect import Address, Tell
from proxy.model.call import Progress
from proxy.model.egress import Egress, ForwardProxy
from proxy.model.route import TlsFiles, Upstream
from proxy.upstream.transports import transports
from tests.support.values import upstream
from tests.unit.http1.fakes import timeouts


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


async def test_the_way_out_is_the_upstreams_own() -> None:
    """Its source, its proxy, and trust for that proxy's own certificate where it has one."""
    proxy = ForwardProxy("proxy", 3128, tls=True)
    made = transports(
        [
            upstream("direct", tls=True, port=443),
            upstream("other", egress=Egress(("127.0.0.2",), proxy)),
        ],
        lambda of: lambda name, within_s: "no_such_name",
        time.monotonic,
        asyncio.get_running_loop(),
    )
    direct, other = (each.pool.target for each in made.values())
    assert (direct.sources, direct.via) == (None, None)
    assert other.sources == {socket.AF_INET: "127.0.0.2"}
    assert other.via is not None
    assert other.via.tls is direct.tls
    assert other.tls is None


async def test_each_upstream_hears_of_its_own_addresses() -> None:
    """Which of them accepted a connection, so that dead ones can be remembered."""
    told: list[tuple[str, str, bool]] = []

    def teller(of: Upstream) -> Tell:
        return lambda address, stands: told.append((of.name, address, stands))

    here: list[Address] = [(socket.AF_INET, "127.0.0.2"), (socket.AF_INET, "127.0.0.1")]
    with socket.create_server(("127.0.0.1", 0)) as server:
        made = transports(
            [upstream("one", port=server.getsockname()[1])],
            lambda of: lambda name, within_s: here,
            time.monotonic,
            asyncio.get_running_loop(),
            teller,
        )
        pool = made["one"].pool
        opened = await pool.open(Progress(), timeouts(), time.monotonic() + 5.0)
        assert isinstance(opened, ClientConnection)
        await pool.drain(0.0)
    assert told == [("one", "127.0.0.2", False), ("one", "127.0.0.1", True)]

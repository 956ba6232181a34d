"""Rules for connections while nothing passes, and for their end."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from proxy.sandbox.client import SandboxPartner
from proxy.sandbox.connection import Connection, Gate, unread_bytes
from proxy.sandbox.stats import Stats
from tests.unit.sandbox.talk import (
    WAIT_S,
    ask,
    charge,
    connect,
    eventually,
    is_silent,
    read_answer,
    read_to_end,
    request,
)

REQUEST = b"GET / HTTP/1.1\r\nHost: p\r\n\r\n"
TLS_RECORD_OVERHEAD = 5 + 1 + 16
"""TLS 1.3: record header, content type, authentication tag."""


async def test_a_gate_lets_writers_wait_until_it_opens() -> None:
    """Whoever comes while it is shut goes on when it opens, and not before."""
    gate = Gate()
    await gate.passable()
    gate.close()
    waiting = asyncio.create_task(gate.passable())
    await asyncio.sleep(0)
    assert gate.shut
    assert not waiting.done()
    gate.open()
    await waiting
    assert not gate.shut


@dataclass
class Line:
    """A connection of a server in this loop, and its peer; the server answers `done`."""

    connection: Connection
    gate: Gate
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    served: list[str]

    async def ask(self) -> None:
        """Send a request."""
        self.writer.write(REQUEST)
        await self.writer.drain()

    async def arrived(self) -> None:
        """Wait until bytes of the peer wait in the kernel."""
        assert self.connection.transport is not None
        async with asyncio.timeout(WAIT_S):
            while not unread_bytes(self.connection.transport):
                await asyncio.sleep(0)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    """A connected line."""
    loop, gate, served = asyncio.get_running_loop(), Gate(), list[str]()
    made: asyncio.Future[Connection] = loop.create_future()

    async def serve(asked: web.BaseRequest) -> web.StreamResponse:
        served.append(asked.path)
        return web.Response(text="done")

    server = web.Server(serve)

    def adopt() -> Connection:
        connection = Connection(server, gate, Stats())
        connection.when_made = made.set_result
        return connection

    listening = await loop.create_server(adopt, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
    yield Line(await made, gate, reader, writer, served)
    writer.close()
    listening.close()
    await server.shutdown(0.1)


async def test_an_act_on_an_idle_connection_spares_a_request_in_the_kernel(line: Line) -> None:
    """A considerate act sees bytes that nobody has read yet; another one acts all the same."""
    acts: list[str] = []
    line.connection.when_idle(0, lambda _: acts.append("idle"), considerate=True)
    line.connection.freeze()
    await line.ask()
    await line.arrived()
    line.connection.when_idle(0, lambda _: acts.append("considerate"), considerate=True)
    line.connection.when_idle(0, lambda _: acts.append("other"), considerate=False)
    assert acts == ["idle", "other"]


async def test_bytes_that_slip_in_while_frozen_are_held(line: Line) -> None:
    """What the transport had read already is served when the gate opens, and not before."""
    line.gate.close()
    line.connection.data_received(REQUEST)
    for _ in range(10):
        await asyncio.sleep(0)
    assert line.served == []
    line.gate.open()
    line.connection.thaw()
    async with asyncio.timeout(WAIT_S):
        assert (await line.reader.readuntil(b"done")).startswith(b"HTTP/1.1 200 ")
    assert line.served == ["/"]


def test_a_blackhole_does_not_notice_that_its_peer_ends(processor: SandboxPartner) -> None:
    """A peer that has nothing more to say gets no end in return."""
    with connect(processor.port) as peer:
        peer.sendall(request(method="GET", path="/v1/charges?reference=x"))
        read_answer(peer)
        processor.set_faults({"kind": "blackhole"})
        peer.shutdown(socket.SHUT_WR)
        assert is_silent(peer)
        processor.clear()
        assert read_to_end(peer) == (b"", "fin")


def test_a_blackhole_freezes_established_connections_and_lets_them_go_on(
    processor: SandboxPartner, reference: str, rows: Callable[[], list[str]]
) -> None:
    """An idle connection takes the request and answers only when the fault is gone."""
    with connect(processor.port) as idle, connect(processor.port) as busy:
        idle.sendall(request(method="GET", path="/v1/charges?reference=x"))
        assert read_answer(idle).status == 200
        processor.set_faults({"kind": "slow", "delay_ms": 100})
        busy.sendall(request(charge(reference), nonce="busy"))
        assert is_silent(busy, 0.02)
        processor.set_faults({"kind": "blackhole"})
        idle.sendall(request(charge(f"{reference}-late"), nonce="idle"))
        assert is_silent(idle, 0.1)
        assert is_silent(busy, 0.1)
        assert rows() == ["authorize"]
        assert all(row["reference"] != f"{reference}-late" for row in processor.ledger())
        processor.clear()
        assert read_answer(idle).headers["sandbox-nonce"] == "idle"
        assert read_answer(busy).headers["sandbox-nonce"] == "busy"


def test_a_peer_that_leaves_during_a_blackhole_harms_nobody(
    processor: SandboxPartner, reference: str
) -> None:
    """Its connection is gone afterwards, and others are served."""
    with connect(processor.port) as peer:
        peer.sendall(request(method="GET", path="/v1/charges?reference=x"))
        read_answer(peer)
        processor.set_faults({"kind": "blackhole"})
        peer.sendall(request(charge(reference)))
    processor.clear()
    assert ask(processor.port, charge(f"{reference}-2")).status == 200


def test_a_peer_that_hangs_up_does_not_stop_the_execution(
    processor: SandboxPartner, reference: str, rows: Callable[[], list[str]]
) -> None:
    """A request that was read is executed, whoever still listens."""
    processor.set_faults({"kind": "slow", "delay_ms": 50})
    with connect(processor.port) as peer:
        peer.sendall(request(charge(reference)))
        assert is_silent(peer, 0.01)
    assert eventually(rows, ["authorize"])


@pytest.fixture
def authority(tmp_path: Path) -> tuple[ssl.SSLContext, list[str]]:
    """A client context that trusts the files which the options name."""
    made = trustme.CA()
    leaf = made.issue_cert("localhost")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    leaf.cert_chain_pems[0].write_to_path(chain)
    leaf.private_key_pem.write_to_path(key)
    context = ssl.create_default_context()
    made.configure_trust(context)
    return context, [str(chain), str(key)]


def test_faults_work_through_tls(authority: tuple[ssl.SSLContext, list[str]]) -> None:
    """A partner with a certificate answers, cuts and survives a failed handshake."""
    context, (chain, key) = authority
    with SandboxPartner.start(
        "acquirer", "tls", tls_certificate_file=chain, tls_key_file=key
    ) as partner:
        assert partner.url.startswith("https://")
        body = {"amount": 1, "currency": "EUR", "merchantReference": "m"}
        with connect(partner.port, context) as secured:
            secured.sendall(request(body, path="/payments"))
            assert read_answer(secured).status == 200
            partner.set_faults({"kind": "reset", "after_bytes": 5})
            secured.sendall(request(body, path="/payments"))
            # Python's TLS sockets report a RST as an end; the socket below tells them apart.
            with socket.socket(fileno=secured.detach()) as plain:
                plain.settimeout(WAIT_S)
                record, how = read_to_end(plain)
        assert (how, len(record) - TLS_RECORD_OVERHEAD) == ("rst", 5)
        with connect(partner.port) as peer:
            peer.sendall(b"GET / HTTP/1.1\r\n\r\n")
            read_to_end(peer)
        connections = partner.stats()["connections"]
        assert connections["handshakes_failed"] == 1
        assert connections["total"] == 1

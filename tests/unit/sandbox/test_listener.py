"""Rules for a listening socket that can refuse and swallow."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from proxy.sandbox.client import SandboxPartner
from proxy.sandbox.listener import Listener
from tests.unit.sandbox.talk import ask, charge, connect, read_answer, read_to_end, request

SWALLOWED_S = 0.3
"""On loopback a connect succeeds or fails in microseconds; this long it does so only if dropped."""


def try_connect(port: int) -> str:
    """How a connect ends: connected, refused or swallowed."""
    with socket.socket() as peer:
        peer.settimeout(SWALLOWED_S)
        try:
            peer.connect(("127.0.0.1", port))
        except ConnectionRefusedError:
            return "refused"
        except TimeoutError:
            return "swallowed"
        return "connected"


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    """A listener whose connections do nothing, not open yet."""
    made = Listener(0, 16, asyncio.Protocol, None, lambda: None)
    yield made
    made.close()


async def test_each_state_leads_to_each_other(listener: Listener) -> None:
    """Open, refused and blackholed can follow each other in any order, on one port."""
    states = {
        "connected": listener.open,
        "refused": listener.refuse,
        "swallowed": listener.blackhole,
    }
    order = ["refused", "connected", "swallowed", "refused", "swallowed", "connected", "connected"]
    for state in order:
        states[state]()
        assert try_connect(listener.port) == state


async def test_a_refused_port_stays_ours(listener: Listener) -> None:
    """While it refuses, nobody else can listen there, so that it can always heal."""
    listener.open()
    listener.refuse()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", listener.port))
    with pytest.raises(OSError, match="in use"):
        Listener(listener.port, 16, asyncio.Protocol, None, lambda: None)


async def test_connects_swallowed_by_a_blackhole_are_accepted_when_it_heals(
    listener: Listener,
) -> None:
    """The kernel repeats its SYN, so a patient peer gets through; our fillers do not count."""
    adopted: list[object] = []

    def adopt() -> asyncio.Protocol:
        protocol = asyncio.Protocol()
        adopted.append(protocol)
        return protocol

    made = Listener(0, 16, adopt, None, lambda: None)
    try:
        made.open()
        made.blackhole()
        loop = asyncio.get_running_loop()
        with socket.socket() as patient:
            patient.setblocking(False)
            connecting = loop.create_task(loop.sock_connect(patient, ("127.0.0.1", made.port)))
            await asyncio.sleep(0.05)
            assert not connecting.done()
            made.open()
            await asyncio.wait_for(connecting, 10)
            for _ in range(100):
                await asyncio.sleep(0)
            assert len(adopted) == 1
    finally:
        made.close()


def test_a_blackholed_partner_drops_every_connect_and_heals(
    processor: SandboxPartner, reference: str
) -> None:
    """Connects time out one after the other; without the fault the next one is served."""
    processor.set_faults({"kind": "blackhole"})
    assert [try_connect(processor.port) for _ in range(3)] == ["swallowed"] * 3
    processor.clear()
    assert ask(processor.port, charge(reference)).status == 200


@pytest.mark.parametrize("established", ["reset", "keep"])
def test_a_refusing_partner_resets_what_is_established_unless_told_otherwise(
    processor: SandboxPartner, reference: str, established: str
) -> None:
    """Like a process that died, or like one that only stopped listening; both heal."""
    with connect(processor.port) as peer:
        peer.sendall(request(charge(reference)))
        read_answer(peer)
        processor.set_faults({"kind": "refuse", "established": established})
        assert try_connect(processor.port) == "refused"
        if established == "reset":
            assert read_to_end(peer) == (b"", "rst")
        else:
            peer.sendall(request(charge(f"{reference}-2")))
            assert read_answer(peer).status == 200
    processor.clear()
    assert try_connect(processor.port) == "connected"

"""Rules for opening a connection: each phase has its time and its reason, and nothing is sent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from proxy.http1.connect import Address, Target, open_connection
from proxy.http1.securing import Securable
from proxy.model.call import Progress
from proxy.model.message import Failure
from proxy.model.phase import Phase
from tests.unit.http1.fakes import timeouts

Resolved = list[Address] | str


class Plain(Securable):
    """A protocol that only knows whether it stands."""

    transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass

    def secured(self, transport: asyncio.Transport, below: asyncio.Transport) -> None:
        self.transport = transport


def at(*addresses: str) -> list[Address]:
    """IPv4 addresses."""
    return [(socket.AF_INET, address) for address in addresses]


async def dial(
    port: int,
    *,
    found: Resolved | BaseException = "",
    resolve_takes_s: float = 0.0,
    deadline_in_s: float = 5.0,
    progress: Progress | None = None,
    target: Target | None = None,
    told: list[tuple[str, bool]] | None = None,
    **limits: float,
) -> Plain | Failure:
    """Open a connection to 127.0.0.1, or to what is found; keywords are timeouts."""

    async def resolve(name: str, within_s: float) -> Resolved:
        assert name == "localhost"
        assert 0 < within_s <= limits.get("resolve_s", 2.0)
        await asyncio.sleep(resolve_takes_s)
        if isinstance(found, BaseException):
            raise found
        return found or at("127.0.0.1")

    return await open_connection(
        target or Target("localhost", port, None, "localhost"),
        resolve,
        timeouts(**limits),
        time.monotonic() + deadline_in_s,
        time.monotonic,
        progress or Progress(),
        Plain,
        None if told is None else lambda address, stands: told.append((address, stands)),
    )


async def hang_up(opened: Plain | Failure) -> None:
    """End a connection that must stand."""
    assert isinstance(opened, Plain), opened
    assert opened.transport is not None
    opened.transport.abort()
    await asyncio.sleep(0.001)


@contextlib.contextmanager
def blackhole(address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port whose queue is full: the kernel drops every further SYN in silence."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((address, port), backlog=0))
        for _ in range(4):
            pending = stack.enter_context(socket.socket())
            pending.setblocking(False)
            pending.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def descriptors() -> int:
    """Open sockets of this process; a loop may open other files when it first needs them."""
    return len([each for each in os.scandir("/proc/self/fd") if is_socket(each.path)])


def is_socket(path: str) -> bool:
    """Whether a descriptor is still open and a socket."""
    with contextlib.suppress(OSError):
        return os.readlink(path).startswith("socket:")
    return False


async def test_the_phases_are_recorded() -> None:
    """In their order; nothing is said of the queue or of sending."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        progress, begun_at = Progress(), time.monotonic()
        await hang_up(await dial(server.getsockname()[1], progress=progress))
        assert begun_at <= progress.resolved_at <= progress.connected_at <= progress.secured_at
        assert (progress.queued_at, progress.sent_at) == (0.0, 0.0)


async def test_small_writes_leave_at_once() -> None:
    """Nagle's algorithm would hold the end of a request back for 40 ms."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        opened = await dial(server.getsockname()[1])
        assert isinstance(opened, Plain)
        assert opened.transport is not None
        raw = opened.transport.get_extra_info("socket")
        assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        await hang_up(opened)


# -- resolve --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"found": "nxdomain"}, "nxdomain"),
        ({"found": TimeoutError()}, "timeout"),
        ({"resolve_takes_s": 5.0, "resolve_s": 0.02}, "timeout"),
        ({"resolve_takes_s": 5.0, "deadline_in_s": 0.1}, "timeout"),
        ({"deadline_in_s": 0.0}, "deadline"),
        ({"deadline_in_s": -3600.0}, "deadline"),
    ],
)
async def test_a_name_that_is_not_resolved(over: dict[str, Any], reason: str) -> None:
    """By the name servers' word, or by the end of its own time or of the call's."""
    assert await dial(1, **over) == Failure(Phase.RESOLVE, reason, sent=False)


# -- connect ----------------------------------------------------------------------------


async def test_a_port_that_refuses(closed_port: int) -> None:
    """At once, with the reason."""
    assert await dial(closed_port) == Failure(Phase.CONNECT, "refused", sent=False)


@pytest.mark.parametrize("limit", [{"connect_s": 0.04}, {"deadline_in_s": 0.1}])
async def test_a_partner_that_drops_packets(limit: dict[str, Any]) -> None:
    """Is noticed by time, by the smaller of the two; nobody waits for the kernel's minutes."""
    with blackhole() as port:
        begun_at = time.monotonic()
        failure = await dial(port, **limit)
        assert failure == Failure(Phase.CONNECT, "timeout", sent=False)
        assert 0.03 <= time.monotonic() - begun_at < 2.0


async def test_without_descriptors_nothing_can_be_opened() -> None:
    """That is our own trouble, and unsent like everything here."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, before[1]))
    try:
        failure = await dial(1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert failure == Failure(Phase.CONNECT, "no_descriptor", sent=False)


# -- what is left behind ------------------------------------------------------------------


def stuck(phase: str, stack: contextlib.ExitStack) -> Callable[[], Any]:
    """A dial that hangs in this phase."""
    if phase == "resolve":
        return lambda: dial(1, resolve_takes_s=5.0)
    port = stack.enter_context(blackhole())
    return lambda: dial(port)


@pytest.mark.parametrize("phase", ["resolve", "connect"])
async def test_a_cancelled_dial_leaves_no_socket(phase: str) -> None:
    """Cancellation passes through, and the descriptor is closed."""
    with contextlib.ExitStack() as stack:
        make = stuck(phase, stack)
        before = descriptors()
        task = asyncio.ensure_future(make())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)
        assert descriptors() == before


async def test_a_failed_dial_leaves_no_socket(closed_port: int) -> None:
    """Refused or timed out."""
    with blackhole() as port:
        before = descriptors()
        dials = [await dial(to, connect_s=0.01) for to in (closed_port, port) * 3]
        assert {type(each) for each in dials} == {Failure}
        assert descriptors() == before

"""Rules for a partner behind several addresses: on real sockets, dead ones are passed over."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import time
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from proxy.http1.connect import Address, Target, open_connection
from proxy.model.call import Progress
from proxy.model.message import Failure
from proxy.model.phase import Phase
from tests.unit.http1.fakes import timeouts
from tests.unit.http1.test_connect import Plain, at, blackhole, descriptors, dial, hang_up

DEAD, ALIVE = "127.0.0.2", "127.0.0.1"
Told = list[tuple[str, bool]]


@contextlib.contextmanager
def dead_and_alive() -> Iterator[int]:
    """A port that is silent at the first address and open at the second one."""
    with blackhole(DEAD) as port, socket.create_server((ALIVE, port)):
        yield port


async def test_the_next_address_is_tried() -> None:
    """When one refuses; a partner behind several addresses loses one now and then."""
    told: Told = []
    with socket.create_server((ALIVE, 0)) as server:
        found = at("127.0.0.2", "127.0.0.3", ALIVE)
        opened = await dial(server.getsockname()[1], found=found, told=told)
        await hang_up(opened)
    assert told == [("127.0.0.2", False), ("127.0.0.3", False), (ALIVE, True)]


async def test_a_silent_address_costs_a_quarter_of_a_second() -> None:
    """And not the call."""
    told: Told = []
    with dead_and_alive() as port:
        begun_at, progress = time.monotonic(), Progress()
        await hang_up(await dial(port, found=at(DEAD, ALIVE), progress=progress, told=told))
        assert 0.24 <= time.monotonic() - begun_at < 0.7
        assert progress.resolved_at + 0.24 <= progress.connected_at <= progress.secured_at
    assert told == [(DEAD, False), (ALIVE, True)]


async def test_a_silent_address_leaves_time_for_the_next() -> None:
    """Where a quarter of a second would be all there is."""
    with dead_and_alive() as port:
        await hang_up(await dial(port, found=at(DEAD, ALIVE), connect_s=0.3))


async def test_all_addresses_are_dead() -> None:
    """The call fails in its time, which is not multiplied by their number."""
    told: Told = []
    with blackhole(DEAD) as port, blackhole(ALIVE, port):
        begun_at, before = time.monotonic(), descriptors()
        failure = await dial(port, found=at(DEAD, ALIVE), connect_s=0.4, told=told)
        assert failure == Failure(Phase.CONNECT, "timeout", sent=False)
        assert 0.39 <= time.monotonic() - begun_at < 1.0
        assert descriptors() == before
    assert told == [(DEAD, False), (ALIVE, False)]


async def test_ipv6_that_is_broken_costs_one_address() -> None:
    """The other family is next, whatever the order of the answer."""
    told: Told = []
    found: list[Address] = [(socket.AF_INET6, "::1"), (socket.AF_INET6, "::2"), *at(ALIVE)]
    with socket.create_server((ALIVE, 0)) as server:
        await hang_up(await dial(server.getsockname()[1], found=found, told=told))
    assert told == [("::1", False), (ALIVE, True)]


async def test_a_machine_without_ipv6() -> None:
    """Cannot even make the socket."""
    make = socket.socket

    def refuse(family: int, *rest: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "no such family")
        return make(family, *rest)

    with socket.create_server((ALIVE, 0)) as server:
        with mock.patch("proxy.http1.race.socket.socket", refuse):
            opened = await dial(
                server.getsockname()[1], found=[(socket.AF_INET6, "::1"), *at(ALIVE)]
            )
        await hang_up(opened)


async def test_the_first_address_gives_the_reason(closed_port: int) -> None:
    """Of several that failed."""
    found = at("127.0.0.2", ALIVE)
    assert await dial(closed_port, found=found) == Failure(Phase.CONNECT, "refused", sent=False)


@pytest.mark.parametrize(
    "address", ["localhost", "127.1", "::1", "127.0.0.1%lo", "<broadcast>", ""]
)
async def test_what_is_no_address_is_never_looked_up(address: str) -> None:
    """The system's resolver would stop the whole process, and its answer was judged by nobody."""
    with mock.patch("socket.getaddrinfo", side_effect=AssertionError):
        failure = await dial(1, found=at(address))
    assert failure == Failure(Phase.CONNECT, "connect_failed", sent=False)


@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.3])
async def test_a_cancelled_race_leaves_no_socket(after_s: float) -> None:
    """With one attempt on its way or two."""
    told: Told = []
    with blackhole(DEAD) as port:
        before = descriptors()
        task = asyncio.ensure_future(dial(port, found=at(DEAD, DEAD), told=told))
        await asyncio.sleep(after_s)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)
        assert (descriptors(), told) == (before, [])


@pytest.mark.parametrize("passes", range(6))
async def test_cancelled_while_connecting(passes: int) -> None:
    """At whatever pass of the loop, the connection is handed over or closed."""
    with socket.create_server((ALIVE, 0)) as server:
        before = descriptors()
        task = asyncio.ensure_future(dial(server.getsockname()[1], found=at(ALIVE, ALIVE)))
        for _ in range(passes):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await hang_up(await task)
        await asyncio.sleep(0.01)
        assert descriptors() == before


# -- answers given directly -------------------------------------------------------------


async def directly(found: list[Address] | str, port: int, deadline_in_s: float) -> Plain | Failure:
    """Open a connection with a resolver that knows by heart."""
    return await open_connection(
        Target("localhost", port, None, "localhost"), lambda name, within_s: found, timeouts(),
        time.monotonic() + deadline_in_s, time.monotonic, Progress(), Plain,
    )  # fmt: skip


async def test_an_answer_given_directly_is_used_at_once() -> None:
    """Without a timer."""
    with socket.create_server((ALIVE, 0)) as server:
        with mock.patch.object(asyncio, "timeout", side_effect=asyncio.timeout) as timer:
            await hang_up(await directly(at(ALIVE), server.getsockname()[1], 5.0))
        assert timer.call_count == 1  # that of the TLS phase


@pytest.mark.parametrize(
    ("found", "deadline_in_s", "reason"),
    [("no_such_name", 5.0, "no_such_name"), ([], 5.0, "no_addresses"), ("x", 0.0, "deadline")],
)
async def test_a_failure_given_directly(
    found: list[Address] | str, deadline_in_s: float, reason: str
) -> None:
    """Is one of the resolve phase like any other."""
    failure = await directly(found, 1, deadline_in_s)
    assert failure == Failure(Phase.RESOLVE, reason, sent=False)

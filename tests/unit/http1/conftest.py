"""Asynchronous tests of this folder run on both loops; the others on a loop with virtual time.

Both kinds fail when an exception escapes a callback: the loop would only log
it, and in production that log line is all that would be left of a call.
"""

from __future__ import annotations

import asyncio
import inspect
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import pytest
import uvloop

from tests.unit.http1.fakes import VirtualLoop
from tests.unit.http1.network import Network

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, LoopFactory]:
    """The loops that `tidegate run --loop` offers."""
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.SelectorEventLoop}


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    """A loop whose time stands still until a test moves it."""
    loop = VirtualLoop()
    try:
        yield loop
        loop.settle()
        assert loop.errors == []
    finally:
        loop.end()


@pytest.fixture
def network(loop: VirtualLoop) -> Iterator[Network]:
    """A network in virtual time, with no timer and no socket left in the end."""
    with Network(loop).connecting() as network:
        yield network
        loop.settle()
        assert asyncio.all_tasks(loop) == set()
        assert len(network.open()) <= 1
        assert [each for each in loop.timers() if each not in network.deciding] == []


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
async def _no_escapes() -> AsyncIterator[None]:
    escaped: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
    yield
    await asyncio.sleep(0)
    assert escaped == []


@pytest.fixture(autouse=True)
def _nothing_escapes(request: pytest.FixtureRequest) -> None:
    """Every asynchronous test ends with no exception left to the loop."""
    if inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
        request.getfixturevalue("_no_escapes")

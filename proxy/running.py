"""The process around the sidecar: event loop, signals, the line that says it is ready."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
from collections.abc import Callable
from typing import Any

import uvloop

from proxy.app import Sidecar
from proxy.app_parts import say
from proxy.model.errors import StartError
from proxy.model.setup import Setup
from proxy.pipeline.observe import where

_COMPLAINT_INTERVAL_S = 1.0
_BROKEN = "the journal could not be synced, so what is on the disk is unknown: stopping"
_OTHER_DESCRIPTORS = 128
"""Listeners, the admin port, refused connections, DNS, the loop's own."""


def run_sidecar(setup: Setup, loop_name: str) -> int:
    """Run until a signal, then drain.

    Returns 0 drained, 1 not started, 3 calls were cut, 4 the journal failed.
    """
    gc.enable()
    gc.set_threshold(20_000, 50, 50)  # calls leave no cycles behind; young scans only cost time
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold card data
    _allow_descriptors(setup)
    factory = uvloop.new_event_loop if loop_name == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(_serve(setup))


async def _serve(setup: Setup) -> int:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(Complaints(loop.time))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        sidecar = Sidecar(setup, loop)
        await sidecar.start()
    except StartError as error:
        say(f"tidegate: {error}")
        return 1
    say(f"tidegate ready: payments {sidecar.payments} admin {sidecar.admin}")
    for note in sidecar.notes:
        say(f"tidegate: {note}")
    await _either(stop, sidecar.broken)
    if sidecar.broken.is_set():
        say(f"tidegate: {_BROKEN}")
    finished = await sidecar.drain()
    return 4 if sidecar.broken.is_set() else 0 if finished else 3


async def _either(*events: asyncio.Event) -> None:
    """Wait for the first of them."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


def _allow_descriptors(setup: Setup) -> None:
    """Take as many descriptors as we may have, and say so when the bounds could need more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    needed = descriptors_needed(setup)
    if most != resource.RLIM_INFINITY and needed > most:
        say(
            f"tidegate: `listen.connections_max` and the pools allow {needed} descriptors, the "
            f"system {most}; raise the limit (ulimit -n), or lower the bounds"
        )


def descriptors_needed(setup: Setup) -> int:
    """How many descriptors the bounds of the configuration allow to be open at once."""
    pools = [upstream.pool for upstream in setup.built.upstreams.values()]
    outbound = sum(pool.connections_max + pool.lingering_max for pool in pools)
    return setup.listen.connections_max + outbound + _OTHER_DESCRIPTORS


class Complaints:
    """Takes what the event loop complains of; asyncio's can repeat one a thousand times a second.

    Says the kind of the failure and never its message, which may hold data.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._silent_until = 0.0
        self._unsaid = 0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """One complaint: a line on stderr, or one more for the next line."""
        if self._now() < self._silent_until:
            self._unsaid += 1
            return
        error = context.get("exception")
        kind = type(error).__name__ if error is not None else "no exception"
        number = f" {error.errno}" if isinstance(error, OSError) else ""
        place = f" at {where(error)}" if error is not None else ""
        more = f"; {self._unsaid} more since the last line" if self._unsaid else ""
        say(f"tidegate: event loop: {kind}{number}{place}{more}")
        self._silent_until = self._now() + _COMPLAINT_INTERVAL_S
        self._unsaid = 0

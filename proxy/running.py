"""The process around the sidecar: event loop, signals, the line that says it is ready."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import sys

import uvloop

from proxy.app import Sidecar
from proxy.model.errors import StartError
from proxy.settings.load import Loaded


def run_sidecar(loaded: Loaded, loop_name: str) -> int:
    """Run until a signal, then drain. Returns 0 drained, 1 not started, 3 calls were cut."""
    gc.set_threshold(20_000, 50, 50)  # calls leave no cycles behind; young scans only cost time
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold card data
    factory = uvloop.new_event_loop if loop_name == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(_serve(loaded))


async def _serve(loaded: Loaded) -> int:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        sidecar = Sidecar(loaded, loop)
        await sidecar.start()
    except StartError as error:
        _say(f"tidegate: {error}")
        return 1
    _say(f"tidegate ready: payments {sidecar.payments} admin {sidecar.admin}")
    await stop.wait()
    return 0 if await sidecar.drain() else 3


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()

"""The sidecar as `app` assembles it, in this process, with real sockets."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from proxy.app import Sidecar
from proxy.model.setup import Setup
from proxy.settings.build_setup import build_setup
from proxy.settings.load import load
from tests.support import config
from tests.support.client import Client, Reply
from tests.support.origin import Origin
from tests.support.sidecar import parse_address


class Running:
    """A sidecar that has started; `ask` makes one call, `page` fetches an admin page."""

    def __init__(self, sidecar: Sidecar) -> None:
        self.sidecar = sidecar

    async def ask(self, *arguments: Any, **keywords: Any) -> Reply:
        """One `Client.call` on a connection of its own."""

        def call() -> Reply:
            with Client(parse_address(self.sidecar.payments)) as client:
                return client.call(*arguments, **keywords)

        return await asyncio.to_thread(call)

    async def raw(self, data: bytes) -> Reply:
        """The reply to these bytes."""

        def call() -> Reply:
            with Client(parse_address(self.sidecar.payments)) as client:
                client.send(data)
                return client.receive()

        return await asyncio.to_thread(call)

    async def page(self, path: str) -> Reply:
        """An admin page."""

        def call() -> Reply:
            with Client(parse_address(self.sidecar.admin)) as client:
                return client.call("GET", path, None, host="127.0.0.1")

        return await asyncio.to_thread(call)


@asynccontextmanager
async def running_sidecar(folder: Path, origin: Origin, **over: Any) -> AsyncIterator[Running]:
    """A sidecar in front of `origin`, drained at the end; `over` changes its configuration."""
    sidecar = Sidecar(setup_of(folder, origin, **over), asyncio.get_running_loop())
    await start(sidecar)
    try:
        yield Running(sidecar)
    finally:
        await sidecar.drain()


async def start(sidecar: Sidecar) -> None:
    """A sidecar takes what is alive when it is ready from the collector; here that is the test."""
    with patch.object(gc, "freeze"):
        await sidecar.start()


def setup_of(folder: Path, origin: Origin, **over: Any) -> Setup:
    """What the file of `written` means for a sidecar."""
    return build_setup(load(written(folder, origin, **over)))


def written(folder: Path, origin: Origin, **over: Any) -> Path:
    """The file: one upstream `processor` and a route `charges`, unless `over` says otherwise."""
    at: Mapping[str, Any] = over.pop("upstream", {})
    document = config.document(
        {"processor": config.upstream(origin.port, **at)},
        over.pop("routes", [config.route("/psp/", ["processor"], name="charges")]),
        **over,
    )
    return config.write(folder, document)

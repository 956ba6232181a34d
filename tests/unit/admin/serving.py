"""The real admin listener, on either loop, used from another thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvloop

from proxy.admin.api import Reports, start
from proxy.admin.orders import Desk
from tests.support.client import Client, Reply
from tests.support.sidecar import Address, parse_address

LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [
    asyncio.new_event_loop,
    uvloop.new_event_loop,
]

BOTH_LOOPS = pytest.mark.parametrize("loop", LOOPS, ids=["asyncio", "uvloop"])


Asked = tuple[str, str | None, str | None]


class Office:
    """Stands for a journal: notes what it is asked and told, and answers as it is set."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.taken: list[tuple[Asked, Mapping[str, Any]]] = []
        self.answer: tuple[int, dict[str, Any]] = (200, {"schema": 1, "calls": []})

    async def tell(
        self, key: str, tenant: str | None, operation: str | None
    ) -> tuple[int, dict[str, Any]]:
        """What it is set to say."""
        self.asked.append((key, tenant, operation))
        return self.answer

    async def take(
        self, key: str, tenant: str | None, operation: str | None, news: Mapping[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        """What it is set to say."""
        self.taken.append(((key, tenant, operation), news))
        return self.answer


@dataclass(slots=True)
class Told:
    """What the composition root would say."""

    ready: bool = True
    findings: dict[str, Any] = field(default_factory=lambda: {"schema": 1, "findings": []})

    desk: Office | None = None
    token: bytes | None = None
    routes: Desk | None = None

    def reports(self) -> Reports:
        """As functions."""
        return Reports(
            lambda: self.ready,
            lambda: "tidegate_x 1\n",
            lambda: self.findings,
            self.desk,
            self.token,
            routes=self.routes,
        )


def serving(
    loop: Callable[[], asyncio.AbstractEventLoop],
    use: Callable[[Address], None],
    *,
    told: Told | None = None,
    unix_path: str | None = None,
) -> None:
    """Run a listener, and `use` it from another thread."""

    async def main() -> None:
        reports = (told or Told()).reports()
        listener = await start(reports, "127.0.0.1", 0, unix_path, 0o600)
        try:
            await asyncio.to_thread(use, parse_address(listener.url))
        finally:
            await listener.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


def get(
    address: Address,
    path: str,
    *fields: tuple[str, str],
    host: str = "127.0.0.1",
    method: str = "GET",
) -> Reply:
    """The reply to one request on a connection of its own."""
    with Client(address) as client:
        return client.call(method, path, None, fields, host=host)

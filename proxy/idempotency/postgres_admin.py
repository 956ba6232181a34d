"""What operators do with a shared journal from a command line: each call opens and closes it."""

from __future__ import annotations

import asyncio

from proxy.idempotency import postgres_schema
from proxy.idempotency.postgres_wire import Wire, readable

_TIMEOUT_S = 60.0
"""Of one statement: an index on a large table takes its time."""


def migrate(url: str) -> str:
    """Make or bring up the tables; a sentence that says so. Raises StartError."""

    async def work() -> None:
        wire = Wire(url, 1, _TIMEOUT_S)
        try:
            await postgres_schema.migrate(wire, url)
        finally:
            await wire.close()

    asyncio.run(work())
    return f"the journal in {readable(url)} has format {postgres_schema.VERSION}"

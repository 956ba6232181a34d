"""A caller's connection: one request at a time, and nothing done behind the caller's back.

No library's pool and no library's retry stands between a replay and what the
sidecar said; a connection that shows anything irregular is never used again.
"""

from __future__ import annotations

import asyncio
from functools import cache
from sys import intern
from urllib.parse import urlsplit

from loadtests.incidents.payments import Payment, Told

_OWN = "tidegate-"
_ANSWER_WITHIN_S = 30.0


class Asker:
    """Asks one sidecar, on a connection that is opened again whenever it was lost."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.hostname is None or parts.port is None:
            raise ValueError(f"an asker needs a host and a port, not {url!r}")
        self._host, self._port = parts.hostname, parts.port
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, payment: Payment, *, keyed: bool = True) -> Told:
        """Make the payment once; the reply, or what went wrong."""
        request = payment.request(f"{self._host}:{self._port}", keyed=keyed)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                return await self._exchange(request)
        except (OSError, EOFError, ValueError) as error:  # TimeoutError is an OSError
            self.close()
            return _none(type(error).__name__)
        except asyncio.CancelledError:
            self.close()
            raise

    def close(self) -> None:
        """Let the connection go."""
        if self._open is not None:
            self._open[1].transport.abort()
            self._open = None

    async def _exchange(self, request: bytes) -> Told:
        if self._open is None:
            self._open = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._open
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")[:-2]
        headers = [(intern(name.lower()), value) for name, _, value in map(_parted, fields)]
        said = dict(headers)
        body = await reader.readexactly(int(said["content-length"]))
        if said.get("connection", "").lower() == "close":
            self.close()
        return Told(
            status=int(line.split()[1]),
            execution=said.get("tidegate-execution", ""),
            outcome=said.get("tidegate-outcome", ""),
            replayed=said.get("tidegate-replayed") == "true",
            nonce=said.get("sandbox-nonce", ""),
            headers=tuple(each for each in headers if not each[0].startswith(_OWN)),
            body=body,
        )


@cache
def _none(error: str) -> Told:
    """No reply: the same object each time, since a long replay sees millions of them."""
    return Told(error=error)


def _parted(field: str) -> tuple[str, str, str]:
    return field.partition(": ")

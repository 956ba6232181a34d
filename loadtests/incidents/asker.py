"""A caller's connection: one request at a time, and nothing done behind the caller's back.

No library's pool and no library's retry stands between a replay and what the
sidecar said; a connection that shows anything irregular is never used again.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from functools import cache
from sys import intern
from urllib.parse import urlsplit

from loadtests.incidents.payments import Payment, Told

_OWN = "tidegate-"
_ANSWER_WITHIN_S = 30.0


class Asker:
    """Asks one sidecar, or several in turn, on connections that are opened again when lost."""

    def __init__(self, urls: str | Sequence[str]) -> None:
        listed = [urls] if isinstance(urls, str) else urls
        self._ends = itertools.cycle([_end(url) for url in listed])
        self._host, self._port = "", 0
        self._all: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}

    async def ask(self, payment: Payment, *, keyed: bool = True) -> Told:
        """Make the payment once; the reply, or what went wrong."""
        self._host, self._port = next(self._ends)
        request = payment.request(f"{self._host}:{self._port}", keyed=keyed)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                return await self._exchange(request)
        except (OSError, EOFError, ValueError) as error:  # TimeoutError is an OSError
            self._let_go()
            return _none(type(error).__name__)
        except asyncio.CancelledError:
            self.close()
            raise

    def close(self) -> None:
        """Let the connections go."""
        for _, writer in self._all.values():
            writer.transport.abort()
        self._all.clear()

    def _let_go(self) -> None:
        """The connection to whoever was asked last."""
        lost = self._all.pop(self._port, None)
        if lost is not None:
            lost[1].transport.abort()

    async def _exchange(self, request: bytes) -> Told:
        if self._port not in self._all:
            self._all[self._port] = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._all[self._port]
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")[:-2]
        headers = [(intern(name.lower()), value) for name, _, value in map(_parted, fields)]
        said = dict(headers)
        body = await reader.readexactly(int(said["content-length"]))
        if said.get("connection", "").lower() == "close":
            self._let_go()
        return Told(
            status=int(line.split()[1]),
            execution=said.get("tidegate-execution", ""),
            outcome=said.get("tidegate-outcome", ""),
            replayed=said.get("tidegate-replayed") == "true",
            nonce=said.get("sandbox-nonce", ""),
            headers=tuple(each for each in headers if not each[0].startswith(_OWN)),
            body=body,
        )


def _end(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    if parts.hostname is None or parts.port is None:
        raise ValueError(f"an asker needs a host and a port, not {url!r}")
    return parts.hostname, parts.port


@cache
def _none(error: str) -> Told:
    """No reply: the same object each time, since a long replay sees millions of them."""
    return Told(error=error)


def _parted(field: str) -> tuple[str, str, str]:
    return field.partition(": ")

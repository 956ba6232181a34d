"""The origin behind the sidecar: a process that keeps every byte and lets h11 say what it means.

Each answer's `X-Echo` is the digest of the request as h11 read it, `X-Problem`
names what is wrong with its bytes, and the body is those bytes themselves. A
count per case number stays here until the run asks for it.
"""

from __future__ import annotations

import asyncio
import collections
import os
import signal
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import cast

import h11
import uvloop

from loadtests.fuzz.reading import case_number, digest

HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer"})
HOP_BY_HOP |= {b"transfer-encoding", b"upgrade", b"expect", b"http2-settings", b"origin"}
KEPT_MAX = 200


@dataclass(slots=True)
class Report:
    """What reached the origin: requests per case number, those without one, and violations."""

    counts: collections.Counter[int] = field(default_factory=collections.Counter)
    anonymous: int = 0
    anonymous_raw: list[bytes] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class _Origin(asyncio.Protocol):
    """One connection: one request at a time, each read by a parser of its own."""

    def __init__(self, report: Report, authority: bytes) -> None:
        self._report = report
        self._authority = authority
        self._transport: asyncio.Transport | None = None
        self._fresh()

    def _fresh(self) -> None:
        self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 17)
        self._raw = b""
        self._body = b""
        self._head: h11.Request | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Feed h11; at the end of a request nothing may be left over."""
        self._raw += data
        self._parser.receive_data(data)
        try:
            while (event := self._parser.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Request):
                    self._head = event
                elif isinstance(event, h11.Data):
                    self._body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    self._complete()
                    return
                else:
                    self._refuse(f"h11 event {event}")
                    return
        except h11.RemoteProtocolError:
            self._refuse("h11 refuses it")

    def connection_lost(self, exc: Exception | None) -> None:
        """A request that was only begun is a violation too: the sidecar buffers whole ones."""
        if self._raw:
            self._note(f"cut short: {self._raw!r}")

    def _complete(self) -> None:
        assert self._head is not None
        assert self._transport is not None
        headers = [(name, value) for name, value in self._head.headers]
        problem = self._problem(headers)
        number = case_number(headers)
        if number is None:
            self._report.anonymous += 1
            if len(self._report.anonymous_raw) < KEPT_MAX:
                self._report.anonymous_raw.append(self._raw[:2000])
        else:
            self._report.counts[number] += 1
        if problem:
            self._note(f"{problem}: {self._raw!r}")
        echo = digest(self._head.method, self._head.target, headers, self._body)
        body = b"" if self._head.method == b"HEAD" else self._raw
        head = f"HTTP/1.1 200 OK\r\nX-Echo: {echo}\r\nX-Problem: {problem}\r\n"
        self._transport.write(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._fresh()

    def _problem(self, headers: list[tuple[bytes, bytes]]) -> str:
        """What is wrong with the framing or the headers of a request; empty if nothing is."""
        lengths = [value for name, value in headers if name == b"content-length"]
        if self._parser.trailing_data[0]:
            return "bytes behind the request"
        if len(lengths) > 1 or (self._body and lengths != [b"%d" % len(self._body)]):
            return "framing not canonical"
        if lengths and lengths != [b"%d" % len(self._body)]:
            return "length not canonical"
        if [value for name, value in headers if name == b"host"] != [self._authority]:
            return "host not the upstream's"
        for name, _ in headers:
            if name in HOP_BY_HOP or name.startswith((b"tidegate-", b"sec-fetch-")):
                return f"header {name.decode()} passed on"
        return ""

    def _refuse(self, why: str) -> None:
        assert self._transport is not None
        self._note(f"{why}: {self._raw!r}")
        self._raw = b""
        self._transport.abort()

    def _note(self, problem: str) -> None:
        if len(self._report.problems) < KEPT_MAX:
            self._report.problems.append(problem[:4000])


async def _serve(pipe: Connection) -> None:
    """Listen, send the port, and when asked send the report and end."""
    report = Report()
    authority: list[bytes] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Origin(report, authority[0]), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    authority.append(b"127.0.0.1:%d" % port)
    asked = asyncio.Event()
    loop.add_reader(pipe.fileno(), asked.set)
    pipe.send(port)
    await asked.wait()
    loop.remove_reader(pipe.fileno())
    os.set_blocking(pipe.fileno(), True)  # add_reader took that from it
    pipe.recv()
    pipe.send(report)
    server.close()


def main(pipe: Connection) -> None:
    """Entry point of the origin's process; a Ctrl-C is the parent's affair."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    uvloop.run(_serve(pipe))

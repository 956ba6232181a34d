"""Why aiohttp's client is not on the payment path: what it does behind its caller's back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Origin:
    """A server on loopback that answers the Nth request it reads with the Nth of `answers`.

    An empty answer closes the connection instead. `requests` holds the methods
    in the order of arrival.
    """

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self._writers: list[asyncio.StreamWriter] = []
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(head.split(b" ", 1)[0])
                answer = self._answers.pop(0)
                if not answer:
                    break
                writer.write(answer)
        except asyncio.IncompleteReadError:
            pass  # the client has closed the connection
        finally:
            writer.close()

    async def close(self) -> None:
        """Close every connection and wait until that is done."""
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers))


@asynccontextmanager
async def _client(origin: Origin) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """A session, and the address of the origin it may call."""
    server = await asyncio.start_server(origin.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as session:
        yield session, f"http://127.0.0.1:{port}/"
    server.close()
    await origin.close()
    await server.wait_closed()


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_dead_connection_makes_it_send_again(method: str) -> None:
    """Two calls, three requests: a capture or a cancellation is executed twice, in silence."""
    origin = Origin(OK, b"", OK)
    async with _client(origin) as (session, url):
        for _ in range(2):
            async with session.request(method, url) as response:
                assert response.status == 200
    assert origin.requests == [method.encode()] * 3


async def test_a_post_is_not_sent_again() -> None:
    """Only methods that it holds idempotent are."""
    origin = Origin(OK, b"", OK)
    async with _client(origin) as (session, url):
        async with session.post(url):
            pass
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await session.post(url)
    assert origin.requests == [b"POST"] * 2


async def test_the_private_switch_against_it_still_exists() -> None:
    """Tests and load drivers that use the client with PUT or DELETE turn it off by this name."""
    origin = Origin(OK, b"", OK)
    async with _client(origin) as (session, url):
        session._retry_connection = False
        async with session.put(url):
            pass
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await session.put(url)
    assert origin.requests == [b"PUT"] * 2


async def test_a_complete_answer_with_stray_bytes_is_an_error() -> None:
    """The charge was acknowledged in full, and the caller is told of a bad answer."""
    origin = Origin(OK + b"GARBAGE")
    async with _client(origin) as (session, url):
        with pytest.raises(aiohttp.ClientError):
            await session.post(url)
    assert origin.requests == [b"POST"]

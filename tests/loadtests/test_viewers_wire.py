"""The processes around the sidecar: a partner that holds, a caller, and viewers that read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from loadtests.viewers.audience import Watching
from loadtests.viewers.caller import SlicedLoop
from loadtests.viewers.partner import Partner
from loadtests.viewers.payload import Planned
from loadtests.viewers.results import Audience


@asynccontextmanager
async def listening(server: asyncio.Server) -> AsyncIterator[int]:
    """The port of a server on loopback."""
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_what_the_partner_held_is_not_our_share() -> None:
    """A call is as long as it says, and what is left is small; each has its own time."""
    calls = [Planned(0, "t001", 20_000), Planned(3, "t249", 1_000)]
    loop = asyncio.get_running_loop()

    def drive(port: int) -> tuple[list[int], list[int]]:
        with SlicedLoop(port, calls) as driven:
            driven.run([0.0, 0.001])
            return driven.took_us()

    async with listening(await loop.create_server(Partner, "127.0.0.1", 0, backlog=256)) as port:
        took, own = await asyncio.to_thread(drive, port)
    assert sorted(took)[1] >= 20_000
    assert min(own) >= 0
    assert max(own) < sorted(took)[1]


def _rows(first: int, count: int) -> bytes:
    rows = [
        {"upstream": "u", "operation": "authorize", "value": {"terminal": f"t{n}"}, "calls": 1}
        for n in range(first, first + count)
    ]
    return b"event: rows\ndata: " + json.dumps(rows).encode() + b"\n\n"


async def _stream(events: list[bytes], reader: asyncio.StreamReader,
                  writer: asyncio.StreamWriter) -> None:  # fmt: skip
    """Everything in chunks of 1,000 bytes, which end anywhere; then the end."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    whole = b"".join(events)
    for at in range(0, len(whole), 1000):
        piece = whole[at : at + 1000]
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
    await writer.drain()
    await reader.read()
    writer.close()


async def test_viewers_know_every_slice_and_hear_every_beat() -> None:
    """Rows are told apart by slice; one that comes again is a change and no new one."""
    beat = b'event: beat\ndata: {"every_s": 1.0}\n\n'
    events = [_rows(0, 600), beat, _rows(600, 400), _rows(5, 40), beat]
    serving = asyncio.start_server(lambda *both: _stream(events, *both), "127.0.0.1", 0)

    def watch(port: int) -> tuple[bool, Audience]:
        watching = Watching(port, 2)
        watching.begin()
        for _ in range(1000):
            watching.turn()
            if watching.all_here() and watching.told().beats == 2:
                break
        found = watching.all_here(), watching.told()
        watching.close()
        return found

    async with listening(await serving) as port:
        here, told = await asyncio.to_thread(watch, port)
    assert here
    assert (told.viewers, told.slices, told.beats, told.changes) == (2, 1000, 2, 1040)


async def test_a_viewer_that_is_turned_away_is_missed() -> None:
    """It is counted as gone, and nobody waits for it."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    def watch(port: int) -> Audience:
        watching = Watching(port, 1)
        watching.begin()
        while watching.told().viewers:
            watching.turn()
        found = watching.told()
        watching.close()
        return found

    async with listening(await asyncio.start_server(refuse, "127.0.0.1", 0)) as port:
        told = await asyncio.to_thread(watch, port)
    assert told.viewers == 0
    assert "0 viewers at the end of 10" in told.problems()

"""The application under load: open loop, honest about what it saw, and never mixing answers."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from loadtests.incidents.driver import Driver, request_bytes
from loadtests.incidents.history import Ending, History
from loadtests.incidents.metronome import Metronome
from loadtests.incidents.process import Process, ReplayError
from loadtests.incidents.schedule import Load, PlannedCall, plan

CALLS = 20
Answer = Callable[[bytes], bytes]


def answered(nonce: bytes, *more: bytes, status: bytes = b"200 OK", body: bytes = b"{}") -> bytes:
    """A sidecar's reply that echoes `nonce`, with more header lines."""
    lines = [
        b"HTTP/1.1 " + status,
        b"Content-Length: %d" % len(body),
        b"Sandbox-Nonce: " + nonce,
        b"Sandbox-Time-Ms: 1.5",
        b"Tidegate-Outcome: answered",
        b"Tidegate-Execution: done",
        b"Tidegate-Upstream: primary",
        b"Tidegate-Attempts: 2",
        b"Tidegate-Call: c1",
        *more,
    ]
    return b"\r\n".join([*lines, b"", b""]) + body


class Origin(asyncio.Protocol):
    """Answers the requests of one connection; an empty answer leaves the caller waiting."""

    def __init__(self, answer: Answer, opened: set[asyncio.BaseTransport]) -> None:
        self.answer = answer
        self.opened = opened
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.opened.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.opened.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if not end or len(rest) < int(fields[b"Content-Length"]):
            return
        self.buffer = b""
        answer = self.answer(fields[b"Sandbox-Nonce"])
        self.transport.write(answer)
        if b"Connection: close" in answer:
            self.transport.close()


@asynccontextmanager
async def origin(answer: Answer) -> AsyncIterator[str]:
    """A server that answers each request with `answer(nonce)`."""
    opened: set[asyncio.BaseTransport] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Origin(answer, opened), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for transport in list(opened):
            cast(asyncio.Transport, transport).abort()
        await asyncio.sleep(0)  # the loop closes an aborted socket in its next turn


async def drive(url: str, give_up_s: float = 5.0, calls: int = CALLS) -> History:
    """Some calls within 20 ms, until each has ended."""
    planned = plan(Load(calls / 0.02, 0.02, 1, "p", {"visa": 1.0}), "arm")
    driver = Driver(url, give_up_s=give_up_s)
    history = History.planned(planned, time.monotonic())
    try:
        await driver.run("/psp/payments", planned, history)
    finally:
        await driver.close()
    return history


def test_the_request_on_the_wire() -> None:
    """One canonical request: framed by its length, with Host, nonce and key."""
    call = PlannedCall(0.0, "r", "n", "visa", 100, b'{"a":1}', (("Sandbox-Nonce", "n"),))
    assert request_bytes("127.0.0.1:80", "/p", call) == (
        b"POST /p HTTP/1.1\r\nHost: 127.0.0.1:80\r\nSandbox-Nonce: n\r\n"
        b'Content-Length: 7\r\n\r\n{"a":1}'
    )


async def test_everything_the_checks_need_is_recorded() -> None:
    """Labels, nonce, partner's time and the order of the instants."""
    async with origin(answered) as url:
        history = await drive(url)
    assert len(history) == CALLS
    for call in history.records:
        assert call.ending is Ending.OK
        assert call.echoed_nonce == call.nonce
        assert (call.upstream, call.attempts, call.call_id) == ("primary", 2, "c1")
        assert call.partner_time_s == 0.0015
        assert call.scheduled_at <= call.started_at <= call.ended_at


async def test_calls_leave_on_schedule_although_none_is_answered() -> None:
    """Open loop: every call is sent while all before it still wait; given up, all stay open."""
    seen = []

    def note(nonce: bytes) -> bytes:
        seen.append(nonce)
        return b""

    async with origin(note) as url:
        history = await drive(url, give_up_s=2.0)
    assert len(seen) == CALLS
    assert {call.ending for call in history.records} == {Ending.INFO}
    assert {call.error for call in history.records} == {"no_answer"}


async def test_a_problem_tells_its_reason() -> None:
    """The sidecar's own replies are told apart by the `reason` of their problem document."""
    problem = b'{"reason": "refused"}'

    def refuse(nonce: bytes) -> bytes:
        kind = b"Content-Type: application/problem+json"
        return answered(nonce, kind, status=b"502 Bad Gateway", body=problem)

    async with origin(refuse) as url:
        history = await drive(url)
    assert {(call.status, call.reason) for call in history.records} == {(502, "refused")}


@pytest.mark.parametrize(
    "tail", [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 2", b"garbage\r\n\r\n"]
)
async def test_bytes_behind_an_answer_never_reach_the_next_call(tail: bytes) -> None:
    """The call they follow is marked, its connection closed, and no call gets another's nonce."""
    async with origin(lambda nonce: answered(nonce) + tail) as url:
        history = await drive(url)
    for call in history.records:
        assert call.echoed_nonce == call.nonce
        assert call.error in ("stray_bytes", "malformed_answer")


async def test_a_sidecar_that_hangs_up_leaves_the_call_open() -> None:
    """Bytes may have left and no answer came: nobody knows. An answer before the end counts."""
    async with origin(lambda nonce: answered(nonce, b"Connection: close")) as url:
        history = await drive(url)
    assert {call.ending for call in history.records} == {Ending.OK}
    async with origin(lambda nonce: answered(nonce, b"Connection: close")[:-1]) as url:
        history = await drive(url)
    assert {(call.ending, call.error) for call in history.records} == {(Ending.INFO, "closed")}


async def test_a_sidecar_that_is_not_there_was_sent_nothing() -> None:
    """A refused connection ends the call as failed, not as open."""
    async with origin(answered) as url:
        pass
    history = await drive(url)
    assert {(call.ending, call.sent) for call in history.records} == {(Ending.FAIL, False)}


async def test_the_metronome_beats_once_per_instant_in_order() -> None:
    """Instants that have passed are beaten at once, and none is left out."""
    beats: list[int] = []
    now = time.monotonic()
    await Metronome([now - 1, now, now + 0.005, now + 0.005], beats.append).run()
    assert beats == [0, 1, 2, 3]


async def test_a_process_is_waited_for_by_its_own_words(tmp_path: Path) -> None:
    """The line that says ready is found in the file; a stop ends the child by its id."""
    script = "import sys, time; print('ready: 7', file=sys.stderr, flush=True); time.sleep(60)"
    process = Process("child", [sys.executable, "-c", script], tmp_path)
    assert (await process.line(r"^ready: (\d)$", process.err_path, 10.0))[1] == "7"
    process.check_alive()
    assert await process.stop() == -15
    with pytest.raises(ReplayError, match="child ended with code -15"):
        process.check_alive()


async def test_a_child_that_dies_instead_of_getting_ready_is_an_error(tmp_path: Path) -> None:
    """The error carries the child's last words, for a person."""
    process = Process("child", [sys.executable, "-c", "raise SystemExit('no disk')"], tmp_path)
    with pytest.raises(ReplayError, match="no disk"):
        await process.line("^ready$", process.err_path, 10.0)
    assert await process.stop() == 1

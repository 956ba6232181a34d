"""`proxy.telemetry.lines`: no reader of our standard output can make a call wait."""

from __future__ import annotations

import asyncio
import errno
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from proxy.telemetry.lines import WAITING_BYTES_MAX, LineWriter

MIB = 1024 * 1024


@dataclass(slots=True)
class _Pipe:
    """A pipe as standard output; `read` says what has come so far."""

    reader: int
    writer: int
    open: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.open = {self.reader, self.writer}

    def close(self, descriptor: int) -> None:
        """Close one side."""
        self.open.remove(descriptor)
        os.close(descriptor)

    def read(self) -> bytes:
        """Everything up to the end of the writing side."""
        parts = []
        while part := os.read(self.reader, MIB):
            parts.append(part)
        return b"".join(parts)


@pytest.fixture
def pipe() -> Iterator[_Pipe]:
    """A pipe whose reader reads nothing unless told to."""
    made = _Pipe(*os.pipe())
    yield made
    for descriptor in made.open:
        os.close(descriptor)


def _until(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.001)


async def test_lines_come_out_whole_and_in_order(pipe: _Pipe) -> None:
    """Through the gathering, more than one batch of them."""
    writer = LineWriter(asyncio.get_running_loop(), pipe.writer)
    expected = [b"line %d\n" % number for number in range(10_000)]
    reading = asyncio.create_task(asyncio.to_thread(pipe.read))
    for line in expected:
        writer.write(line)
    await asyncio.to_thread(writer.close)
    pipe.close(pipe.writer)
    assert (await reading).splitlines(keepends=True) == expected
    assert writer.dropped == 0


async def test_lines_are_written_without_being_asked_for(pipe: _Pipe) -> None:
    """A quiet sidecar's one line does not wait for the next."""
    writer = LineWriter(asyncio.get_running_loop(), pipe.writer)
    writer.write(b"one\n")
    assert await asyncio.to_thread(os.read, pipe.reader, 100) == b"one\n"
    writer.write(b"two\n")
    assert await asyncio.to_thread(os.read, pipe.reader, 100) == b"two\n"
    writer.close()


async def test_a_reader_that_stops_never_blocks_and_memory_is_bounded(pipe: _Pipe) -> None:
    """What does not fit is dropped, counted, and nothing of it is half written."""
    writer = LineWriter(asyncio.get_running_loop(), pipe.writer)
    line, count = b"x" * 1023 + b"\n", 3 * WAITING_BYTES_MAX // 1024
    for _ in range(count):
        writer.write(line)
        assert writer._handed_bytes - writer._finished_bytes <= WAITING_BYTES_MAX
    writer._flush()
    dropped = writer.dropped
    assert 0 < dropped < count
    reading = asyncio.create_task(asyncio.to_thread(pipe.read))
    await asyncio.to_thread(writer.close, 10.0)
    pipe.close(pipe.writer)
    assert await reading == line * (count - dropped)


async def test_after_the_reader_has_come_back_lines_flow_again(pipe: _Pipe) -> None:
    """The bound is on what waits, not on what was ever lost."""
    writer = LineWriter(asyncio.get_running_loop(), pipe.writer)
    line = b"y" * 1023 + b"\n"
    for _ in range(2 * WAITING_BYTES_MAX // 1024):
        writer.write(line)
    writer._flush()
    assert writer.dropped > 0
    reading = asyncio.create_task(asyncio.to_thread(pipe.read))
    await asyncio.to_thread(_until, lambda: writer._handed_bytes == writer._finished_bytes)
    writer.write(b"back\n")
    await asyncio.to_thread(writer.close, 10.0)
    pipe.close(pipe.writer)
    assert (await reading).endswith(line + b"back\n")


async def test_closing_does_not_wait_for_ever_on_a_reader_that_stopped(pipe: _Pipe) -> None:
    """The drain ends in time, and the thread ends with the process."""
    writer = LineWriter(asyncio.get_running_loop(), pipe.writer)
    for _ in range(1000):
        writer.write(b"z" * 1023 + b"\n")
    writer.close(within_s=0.05)
    assert writer._writer.is_alive()
    assert writer._writer.daemon
    pipe.close(pipe.reader)
    _until(lambda: not writer._writer.is_alive())
    assert writer.dropped > 0, "what the closed reader will never see is counted"


async def test_a_reader_that_hung_up_costs_lines_and_nothing_else(pipe: _Pipe) -> None:
    """EPIPE is counted line by line; writing goes on."""
    writer = LineWriter(asyncio.get_running_loop(), pipe.writer)
    pipe.close(pipe.reader)
    for _ in range(100):
        writer.write(b"nobody\n")
    writer.close()
    assert writer.dropped == 100


async def test_a_standard_output_that_does_not_block_is_waited_for(
    pipe: _Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever shares it may have switched it over: no line is torn or lost by that."""
    waiting, poll = threading.Event(), select.poll

    def noted() -> select.poll:
        waiting.set()
        return poll()

    monkeypatch.setattr(select, "poll", noted)
    os.set_blocking(pipe.writer, False)
    writer = LineWriter(asyncio.get_running_loop(), pipe.writer)
    expected = b"".join(b"%d %s\n" % (number, b"w" * 500) for number in range(2000))
    for line in expected.splitlines(keepends=True):
        writer.write(line)
    writer._flush()
    assert await asyncio.to_thread(waiting.wait, 10.0), "the pipe is full and nobody reads"
    reading = asyncio.create_task(asyncio.to_thread(pipe.read))
    await asyncio.to_thread(writer.close, 10.0)
    pipe.close(pipe.writer)
    assert await reading == expected
    assert writer.dropped == 0


class _FailingFile:
    """Stands in for `os.write`: takes some bytes, then fails as told, then works."""

    DESCRIPTOR = 1_000_000

    def __init__(self, *takes: int) -> None:
        self.written = b""
        self._takes = list(takes)
        self._write = os.write

    def write(self, descriptor: int, data: memoryview) -> int:
        """As `os.write` on a disk that is full for a while; other files are the system's."""
        if descriptor != self.DESCRIPTOR:
            return self._write(descriptor, data)
        if not self._takes:
            self.written += bytes(data)
            return len(data)
        take = self._takes.pop(0)
        if take == 0:
            raise OSError(errno.ENOSPC, "full")
        self.written += bytes(data[:take])
        return take


@pytest.mark.parametrize(
    ("takes", "written", "dropped"),
    [
        ((0,), b"third\n", 2),
        ((3, 0), b"fir\nthird\n", 2),
        ((6, 0), b"first\nthird\n", 1),
        ((9, 0), b"first\nsec\nthird\n", 1),
        ((3, 0, 0), b"fir", 3),
    ],
)
async def test_after_a_torn_line_the_next_begins_on_its_own(
    monkeypatch: pytest.MonkeyPatch, takes: tuple[int, ...], written: bytes, dropped: int
) -> None:
    """A full disk costs the lines that it could not take, not the ones after them."""
    file = _FailingFile(*takes)
    monkeypatch.setattr(os, "write", file.write)
    writer = LineWriter(asyncio.get_running_loop(), file.DESCRIPTOR)
    writer.write(b"first\n")
    writer.write(b"second\n")
    writer._flush()
    writer.write(b"third\n")
    writer.close()
    assert (file.written, writer.dropped) == (written, dropped)


async def test_the_thread_ends_when_it_is_closed(pipe: _Pipe) -> None:
    """Nothing is left behind."""
    writer = LineWriter(asyncio.get_running_loop(), pipe.writer)
    writer.close()
    assert not writer._writer.is_alive()
    assert writer._writer not in threading.enumerate()

"""The partner's ledger: what it executed, on disk before anybody is told.

One JSON object a line, appended and never changed. A row is durable
(fdatasync) before the answer that reports it is written; a writer thread
commits together whatever has gathered while the disk was busy, so the disk's
150 microseconds are paid per batch and not per call.

A process killed while writing leaves at most one line without its newline.
Nobody was told about that row, so opening the file again cuts it off.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any


class LedgerError(Exception):
    """The ledger cannot be opened or written; the partner must not go on without it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was executed; `at` is wall seconds, amounts are minor units.

    `operation` is authorize, capture, refund, void or authenticate, or
    `decline`: an authorisation that was answered no and moved nothing.
    `charge` names the payment that a capture, refund or void belongs to.
    """

    seq: int
    at: float
    partner: str
    operation: str
    id: str
    reference: str | None
    idempotency_key: str | None
    amount: int | None
    currency: str | None
    scheme: str | None
    nonce: str | None
    charge: str | None = None
    fingerprint: str | None = None

    def line(self) -> bytes:
        """The row as one line of the file."""
        members = {name: getattr(self, name) for name in ROW_MEMBERS}
        return json.dumps(members, separators=(",", ":")).encode() + b"\n"


ROW_MEMBERS = tuple(Row.__dataclass_fields__)


def rows_of(content: bytes, partner: str) -> list[Row]:
    """The rows of whole lines; raises LedgerError where a line is none of ours or out of order."""
    rows = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            row = Row(**json.loads(line))
        except (ValueError, TypeError):
            raise LedgerError(f"line {number} is not a ledger row") from None
        if row.seq != number:
            raise LedgerError(f"line {number} carries another sequence number")
        if row.partner != partner:
            raise LedgerError(f"line {number} belongs to another partner")
        rows.append(row)
    return rows


class Ledger:
    """An open ledger, used from one event loop.

    `on_failure` is called in the loop when the disk refuses; the rows waiting
    then are never reported as executed.
    """

    def __init__(self, path: Path, partner: str, on_failure: Callable[[], None]) -> None:
        self.path = path
        self.partner = partner
        self.written = 0
        """Rows made by this process."""
        self._on_failure = on_failure
        self._fd = _open_alone(path)
        content = _without_torn_line(self._fd)
        self.found = rows_of(content, partner)
        """Rows of earlier lives of this ledger."""
        self._seq = len(self.found)
        self._durable_bytes = len(content)
        self._tag = blake2b(partner.encode(), digest_size=4).hexdigest()
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._newest: asyncio.Future[None] | None = None
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._write_batches, name="ledger", daemon=True)
        self._thread.start()

    def write(
        self, prefix: str, operation: str, **members: Any
    ) -> tuple[Row, asyncio.Future[None]]:
        """Give a row its place and hand it to the writer; the future ends when it is durable."""
        self._seq += 1
        self.written += 1
        name = f"{prefix}_{self._tag}{self._seq:08d}"
        row = Row(self._seq, time.time(), self.partner, operation, name, **members)
        stored: asyncio.Future[None] = self._loop.create_future()
        with self._wake:
            self._waiting.append((row.line(), stored))
            self._wake.notify()
        self._newest = stored
        return row, stored

    async def durable(self) -> None:
        """Wait until everything written so far is durable: an inquiry must not tell of less."""
        if self._newest is not None and not self._newest.done():
            await asyncio.shield(self._newest)

    def since(self, seq: int) -> bytes:
        """The durable rows after `seq`, as a JSON array."""
        with self.path.open("rb") as file:
            lines = file.read(self._durable_bytes).splitlines()
        return b"[" + b",".join(lines[max(seq, 0) :]) + b"]"

    def close(self) -> None:
        """Write what waits, end the writer and let the file go."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()
        os.close(self._fd)

    def _write_batches(self) -> None:
        """The writer thread: one write and one fdatasync for all that has gathered."""
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting or self._closing)
                batch, self._waiting = self._waiting, []
            if not batch:
                return
            content = b"".join(line for line, _ in batch)
            try:
                _write_all(self._fd, content)
                os.fdatasync(self._fd)
            except OSError as problem:
                self._tell(batch, LedgerError(f"ledger: {problem.strerror}"))
                return
            self._durable_bytes += len(content)
            self._tell(batch, None)

    def _tell(
        self, batch: list[tuple[bytes, asyncio.Future[None]]], problem: LedgerError | None
    ) -> None:
        """Hand the verdict to the loop, unless it has ended meanwhile."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._settle, [stored for _, stored in batch], problem)

    def _settle(self, stored: list[asyncio.Future[None]], problem: LedgerError | None) -> None:
        if problem is not None:
            self._on_failure()
        for future in stored:
            if future.done():
                continue
            if problem is None:
                future.set_result(None)
            else:
                future.set_exception(problem)


def _open_alone(path: Path) -> int:
    """The file, locked: two processes appending to one ledger would both be wrong."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise LedgerError("another partner process writes to this ledger") from None
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return fd


def _without_torn_line(fd: int) -> bytes:
    """The content up to the last newline; what follows it is cut off the file."""
    content = os.pread(fd, size := os.fstat(fd).st_size, 0)
    whole = content[: content.rfind(b"\n") + 1]
    if len(content) != size:
        raise LedgerError("the ledger could not be read whole")
    if len(whole) != size:
        os.ftruncate(fd, len(whole))
        os.fdatasync(fd)
    return whole


def _write_all(fd: int, content: bytes) -> None:
    """Write every byte; the kernel may take fewer at a time."""
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]

"""A real name server on 127.0.0.1, over UDP and TCP on one port, whose every answer a test sets.

It runs in a thread of its own, so that it answers whatever the loop under test
does, and serves child processes too. Names are matched without regard to case.
What nobody set is NXDOMAIN; a name that has another type gets an empty answer.
"""

from __future__ import annotations

import heapq
import itertools
import random
import selectors
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.support import dns_wire as wire
from tests.support.dns_answers import EMPTY, NXDOMAIN, Answer, Query

WAIT_S = 10.0

_CNAMES_MAX = 8


@dataclass(order=True, slots=True)
class _Due:
    """An answer that waits for its time."""

    at: float
    order: int
    connection: socket.socket = field(compare=False)
    peer: object = field(compare=False)
    message: bytes = field(compare=False)


class DnsServer:
    """A running name server; use as a context manager. Answers may change at any time."""

    def __init__(self, port: int = 0, seed: int = 0) -> None:
        self._chance = random.Random(seed)
        self._changed = threading.Condition()
        self._answers: dict[tuple[str, str], Answer] = {}
        self._queries: list[Query] = []
        self.default = NXDOMAIN
        """For names that were never set."""
        self.everything: Answer | None = None
        """In place of all other answers while it is set: an outage."""
        self._udp, self._tcp = _sockets(port)
        self.port: int = self._udp.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._streams: dict[socket.socket, bytes] = {}
        self._due: list[_Due] = []
        self._order = itertools.count()
        self._wake, self._woken = socket.socketpair()
        for each in (self._udp, self._tcp, self._woken):
            self._selector.register(each, selectors.EVENT_READ)
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name="dns", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- what a test says and asks ---------------------------------------------------

    @property
    def nameserver(self) -> str:
        """`host:port`, as c-ares wants it."""
        return f"127.0.0.1:{self.port}"

    def set(self, name: str, kind: str, answer: Answer) -> None:
        """From now on, `answer` to questions for this name and type."""
        with self._changed:
            self._answers[name.lower(), kind] = answer

    def unset(self, name: str) -> None:
        """Forget everything about a name."""
        with self._changed:
            for key in [key for key in self._answers if key[0] == name.lower()]:
                del self._answers[key]

    def queries(self, name: str | None = None, kind: str | None = None) -> list[Query]:
        """What was asked since the last `forget`, of one name and type or of all."""
        with self._changed:
            return [
                query
                for query in self._queries
                if name in (None, query.name) and kind in (None, query.kind)
            ]

    def count(self, name: str | None = None, kind: str | None = None) -> int:
        """How many questions came."""
        return len(self.queries(name, kind))

    def wait_count(self, count: int, name: str | None = None, kind: str | None = None) -> None:
        """Wait until at least so many questions came; for other threads than the loop's."""
        give_up_at = time.monotonic() + WAIT_S
        while self.count(name, kind) < count:
            with self._changed:
                left_s = give_up_at - time.monotonic()
                assert self._changed.wait(left_s), f"only {self.count(name, kind)} questions"

    def forget(self) -> None:
        """Forget what was asked."""
        with self._changed:
            self._queries.clear()

    def close(self) -> None:
        """Stop, and give everything back. A second time does nothing."""
        if self._closing:
            return
        self._closing = True
        self._wake.send(b"x")
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive(), "the name server hangs"
        self._selector.close()
        for each in (self._udp, self._tcp, self._wake, self._woken, *self._streams):
            each.close()

    # -- the thread -------------------------------------------------------------------

    def _serve(self) -> None:
        while not self._closing:
            timeout_s = self._due[0].at - time.monotonic() if self._due else None
            for key, _ in self._selector.select(timeout_s):
                self._read(key.fileobj)
            while self._due and self._due[0].at <= time.monotonic():
                _send(heapq.heappop(self._due))

    def _read(self, ready: object) -> None:
        if ready is self._udp:
            message, peer = self._udp.recvfrom(65535)
            self._answer(message, self._udp, peer)
        elif ready is self._tcp:
            connection, _ = self._tcp.accept()
            self._streams[connection] = b""
            self._selector.register(connection, selectors.EVENT_READ)
        elif isinstance(ready, socket.socket) and ready in self._streams:
            self._read_stream(ready)

    def _read_stream(self, connection: socket.socket) -> None:
        try:
            chunk = connection.recv(65535)
        except ConnectionError:
            chunk = b""
        if not chunk:
            self._selector.unregister(connection)
            del self._streams[connection]
            connection.close()
            return
        buffer = self._streams[connection] + chunk
        while len(buffer) >= 2 and len(buffer) >= 2 + (length := int.from_bytes(buffer[:2])):
            message, buffer = buffer[2 : 2 + length], buffer[2 + length :]
            self._answer(message, connection, None)
        self._streams[connection] = buffer

    def _answer(self, message: bytes, connection: socket.socket, peer: object) -> None:
        try:
            question = wire.read_question(message)
        except (ValueError, IndexError, struct.error):
            return
        over_udp = peer is not None
        with self._changed:
            self._queries.append(
                Query(
                    question.name,
                    question.kind,
                    "udp" if over_udp else "tcp",
                    time.monotonic(),
                    question.spelled,
                )
            )
            answer, records = self._find(question.name, question.kind)
            self._changed.notify_all()
        if answer.silent or self._chance.random() < answer.loss:
            return
        said = answer.garbage
        if said is None:
            truncated = answer.truncate_udp and over_udp
            said = wire.write_answer(
                question, answer.rcode, records, truncated=truncated, wrong_id=answer.wrong_id
            )
        at = time.monotonic() + answer.delay_s
        heapq.heappush(self._due, _Due(at, next(self._order), connection, peer, said))

    def _find(self, name: str, kind: str) -> tuple[Answer, list[wire.Record]]:
        """What is said to a question: the answer's manner, and records along a chain of aliases."""
        if self.everything is not None:
            return self.everything, _records(name, kind, self.everything)
        chain: list[wire.Record] = []
        for _ in range(_CNAMES_MAX):
            answer = self._answers.get((name, kind))
            if answer is not None:
                return answer, chain + _records(name, kind, answer)
            link = self._answers.get((name, "CNAME"))
            if link is None or not link.data:
                break
            chain += _records(name, "CNAME", link)
            name = link.data[0].lower()
        known = any(known_name == name for known_name, _ in self._answers)
        return (EMPTY if known else self.default), chain


def _records(name: str, kind: str, answer: Answer) -> list[wire.Record]:
    return [wire.Record(name, kind, data, answer.ttl_s) for data in answer.data]


def _send(due: _Due) -> None:
    """Send an answer; an asker that has gone is no error."""
    try:
        if isinstance(due.peer, tuple):
            due.connection.sendto(due.message, due.peer)
        else:
            due.connection.sendall(len(due.message).to_bytes(2) + due.message)
    except OSError:
        return


def _sockets(port: int) -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on one port; 0 is one of the kernel's choosing."""
    for _ in range(50):
        tcp = socket.create_server(("127.0.0.1", port))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            tcp.close()
            udp.close()
            continue
        return udp, tcp
    raise OSError("no port that is free for both UDP and TCP")

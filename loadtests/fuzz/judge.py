"""Compares what came back on a connection with the reading of what was sent. PURE."""

from __future__ import annotations

import collections
from collections.abc import Callable
from dataclasses import dataclass, field

from loadtests.fuzz.generator import Case
from loadtests.fuzz.limits import CANARY
from loadtests.fuzz.reading import Accept, Either, Incomplete, Reading, Refuse, digest

REFUSALS = frozenset({400, 403, 404, 408, 411, 413, 414, 417, 421, 431, 501, 505})


@dataclass(frozen=True, slots=True)
class Reply:
    """A final reply: `forwarded` tells an answer of the origin from one of the sidecar's own."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def forwarded(self) -> bool:
        """Whether the origin answered."""
        return "x-echo" in self.headers


Receive = Callable[[bool], "Reply | None"]
"""Reads the next final reply (True: to a HEAD); None when the connection ended before one."""


@dataclass(slots=True)
class Tally:
    """What one client saw, to be held against what the origin saw."""

    requests: int = 0
    cases: int = 0
    forwarded: int = 0
    refused: int = 0
    counts: collections.Counter[int] = field(default_factory=collections.Counter)
    uncertain: set[int] = field(default_factory=set)
    """Numbers whose client hung up unread: the origin may or may not have them, once."""
    anonymous: int = 0
    spoilt: set[int] = field(default_factory=set)
    """Indices of cases with a violation, left out of the balance."""
    violations: list[str] = field(default_factory=list)


class ViolationError(Exception):
    """The sidecar did something that the reading does not allow; the text says what."""


def judge(case: Case, receive: Receive, tally: Tally) -> None:
    """Read the replies to a case and compare; raises `ViolationError` at the first difference."""
    for place, reading in enumerate(case.readings):
        if judge_one(reading, receive, tally, place):
            _expect_end(receive)
            break
    tally.requests += len(case.readings)


def judge_one(reading: Reading, receive: Receive, tally: Tally, place: int) -> bool:
    """One reply; True if after it the connection has to end, whatever else was sent."""
    accept = reading if isinstance(reading, Accept) else None
    if isinstance(reading, Either):
        accept = reading.accept
    reply = receive(accept is not None and accept.method == b"HEAD")
    where = f"request {place}"
    if reply is None:
        if isinstance(reading, Incomplete):
            return True
        raise ViolationError(f"{where}: no reply, expected {_told(reading)}")
    if reply.forwarded:
        _forwarded(accept, reply, tally, where)
    else:
        _refused(reading, reply, tally, where)
    return _ends(reading) or _says_close(reply)


def _forwarded(accept: Accept | None, reply: Reply, tally: Tally, where: str) -> None:
    if accept is None:
        raise ViolationError(f"{where}: reached the origin: {reply.raw[-1000:]!r}")
    if reply.headers["x-problem"]:
        raise ViolationError(f"{where}: {reply.headers['x-problem']}: {reply.raw[-1000:]!r}")
    expected = digest(accept.method, accept.target, accept.headers, accept.body)
    if reply.status != 200 or reply.headers["x-echo"] != expected:
        raise ViolationError(f"{where}: changed on its way: {reply.raw[:3000]!r}")
    tally.forwarded += 1
    if accept.number is None:
        tally.anonymous += 1
    else:
        tally.counts[accept.number] += 1


def _refused(reading: Reading, reply: Reply, tally: Tally, where: str) -> None:
    allowed = reading.statuses if isinstance(reading, Refuse) else REFUSALS
    if isinstance(reading, Accept) or reply.status not in allowed:
        raise ViolationError(f"{where}: {reply.status}, expected {_told(reading)}: {reply.raw!r}")
    if CANARY in reply.raw:
        raise ViolationError(f"{where}: the reply repeats what was sent: {reply.raw!r}")
    tally.refused += 1


def _says_close(reply: Reply) -> bool:
    return reply.headers.get("connection", "").lower() == "close"


def _ends(reading: Reading) -> bool:
    if isinstance(reading, Accept):
        return reading.closes is True
    if isinstance(reading, Refuse):
        return reading.closes
    return isinstance(reading, Incomplete)


def _expect_end(receive: Receive) -> None:
    """Only a refusal of leftovers may follow the last reply; then the connection ends."""
    reply = receive(False)
    if reply is None:
        return
    if reply.forwarded or reply.status not in REFUSALS:
        raise ViolationError(f"one reply too many: {reply.raw!r}")
    if receive(False) is not None:
        raise ViolationError("two replies too many")


def _told(reading: Reading) -> str:
    if isinstance(reading, Refuse):
        return f"a refusal with one of {sorted(reading.statuses)}"
    return type(reading).__name__.lower()

"""The hostile pool's checker is itself checked, against peers that are wrong on purpose."""

from __future__ import annotations

import asyncio
import collections

import pytest

from loadtests.wire.hostile_client import Caller, Seen
from loadtests.wire.hostile_origin import Executed
from loadtests.wire.hostile_pool import Figures, figures_of

LABELS = b"Tidegate-Outcome: %b\r\nTidegate-Execution: %b\r\n"


def reply(status: int, headers: bytes, body: bytes) -> bytes:
    """A whole reply."""
    head = b"HTTP/1.1 %d X\r\n%bContent-Length: %d\r\n\r\n" % (status, headers, len(body))
    return head + body


def answered(nonce: bytes, status: int = 200) -> bytes:
    """An answer that carries this nonce."""
    headers = LABELS % (b"answered", b"done") + b"X-Nonce: %b\r\n" % nonce
    return reply(status, headers, b'{"nonce":"%b"}' % nonce)


def problem(outcome: bytes, execution: bytes, status: int = 502) -> bytes:
    """A reply of the sidecar's own."""
    body = b'{"execution": "%b", "reason": "closed", "phase": "body"}' % execution
    headers = b"Content-Type: application/problem+json\r\n" + LABELS % (outcome, execution)
    return reply(status, headers, body)


class Wire(asyncio.Transport):
    """Takes what a caller writes."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Nothing of it is looked at."""

    def close(self) -> None:
        """Nothing is open."""


async def seen_after(*replies: bytes) -> Seen:
    """What a caller with nonces from 1 makes of these replies."""
    seen = Seen()
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    caller = Caller(seen, range(1, len(replies) + 1), done)
    caller.connection_made(Wire())
    for each in replies:
        caller.data_received(each)
    return seen


async def test_own_answers_and_honest_labels_pass() -> None:
    """An answer with its nonce, a doubt, and something unsent."""
    replies = (answered(b"1"), problem(b"in_doubt", b"unknown"), problem(b"unsent", b"none"))
    seen = await seen_after(*replies)
    assert (seen.responses, seen.ok, seen.mixed, seen.none) == (3, 1, {}, [3])
    assert seen.violations == []


@pytest.mark.parametrize("data", [answered(b"2"), answered(b"evil"), answered(b"1", 408)])
async def test_anothers_answer_is_mixed(data: bytes) -> None:
    """Another's nonce, an unasked answer, and another status than the origin's only one."""
    assert (await seen_after(data)).mixed.keys() == {1}


@pytest.mark.parametrize(
    "data",
    [
        reply(502, LABELS % (b"in_doubt", b"unknown"), b"no problem"),
        problem(b"in_doubt", b"none"),
        problem(b"unsent", b"unknown"),
        problem(b"in_doubt", b"unknown", 500),
        answered(b"1") + b"x",
    ],
)
async def test_replies_without_an_honest_label_are_violations(data: bytes) -> None:
    """Every reply that is no answer says what is known, and means it."""
    assert len((await seen_after(data)).violations) == 1


def figures(seen: Seen, executed: Executed) -> Figures:
    """The figures of one second."""
    return figures_of("reuse", seen, executed, 1.0)


def test_lies_and_duplicates_are_found() -> None:
    """`none` for what was executed, and what was executed twice."""
    executed = Executed(counts=collections.Counter({1: 1, 2: 2, 3: 1}))
    found = figures(Seen(none=[3, 4]), executed)
    assert (found.lies, found.duplicates, found.passed) == (1, 1, False)


def test_only_what_crossed_on_the_wire_is_excused() -> None:
    """A mixed answer counts unless its request was under way at that instant."""
    found = figures(Seen(mixed={1: (5.0, 0), 2: (5.0, 0)}), Executed(crossed={2}))
    assert (found.mixed, found.crossed, found.passed) == (1, 1, False)
    assert figures(Seen(mixed={2: (5.0, 0)}), Executed(crossed={2})).passed


def test_on_a_busy_machine_only_what_was_called_before_the_bytes_is_excused() -> None:
    """However long a request was under way; what was called after them could be told."""
    seen = Seen(mixed={1: (5.0, 1), 2: (5.0, 2), 3: (5.0, 0)})
    executed = Executed(unasked=[0.0, 4.9, 5.1])
    told = figures_of("fresh", seen, executed, 1.0, busy=True).violations
    assert told == [f"MIXED: the answer to nonce {nonce} is another's" for nonce in (1, 3)]
    assert figures_of("fresh", seen, executed, 1.0).mixed == 3

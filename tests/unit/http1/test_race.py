"""Rules for races between addresses: who begins when, and who wins."""

from __future__ import annotations

import asyncio
import socket

import pytest

from proxy.http1.race import Address, interleaved
from tests.unit.http1.fakes import VirtualLoop
from tests.unit.http1.network import ACCEPTS, AT_ONCE, NEVER, REFUSES, SILENT, A, B, C, Network

# -- who begins when ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a", "a"),
        ("a b c", "a b c"),
        ("A B", "A B"),
        ("a b A B", "a A b B"),
        ("A a b c", "A a b c"),
        ("a b c A", "a A b c"),
        ("A B C a", "A a B C"),
        ("a A B C b", "a A b B C"),
    ],
)
def test_families_take_turns(given: str, expected: str) -> None:
    """Beginning with that of the first address; a broken family costs one wait, not many."""

    def addresses(names: str) -> list[Address]:
        both = (socket.AF_INET, socket.AF_INET6)
        return [(both[name.isupper()], name) for name in names.split()]

    assert interleaved(addresses(given)) == addresses(expected)


def test_silent_addresses_are_begun_a_quarter_of_a_second_apart(network: Network) -> None:
    """RFC 8305, section 5."""
    task = network.start(a=SILENT, b=SILENT, c=(0.1, ACCEPTS))
    assert network.finish(task) == (C, 0.6)
    assert network.begun == [(A, 0.0), (B, 0.25), (C, 0.5)]


@pytest.mark.parametrize("after_s", [AT_ONCE, 0.1])
def test_after_a_failure_the_next_begins_at_once(network: Network, after_s: float) -> None:
    """And has a quarter of a second from then on."""
    network.finish(network.start(a=(after_s, REFUSES), b=SILENT, c=(0.1, ACCEPTS)))
    failed_at = max(0.0, after_s)
    assert network.begun == [(A, 0.0), (B, failed_at), (C, failed_at + 0.25)]
    assert network.open() == [C]


def test_a_failure_of_an_earlier_one_hurries_nobody(network: Network) -> None:
    """The latest has its quarter of a second."""
    task = network.start(a=(0.3, REFUSES), b=SILENT, c=(0.1, ACCEPTS))
    assert network.finish(task) == (C, 0.6)
    assert network.begun == [(A, 0.0), (B, 0.25), (C, 0.5)]


def test_little_time_is_shared(network: Network) -> None:
    """All addresses are begun before it is up."""
    task = network.start(within_s=0.4, a=SILENT, b=SILENT, c=SILENT, d=(0.0, ACCEPTS))
    assert network.finish(task) == ("198.51.100.3", 0.3)


def test_a_single_address_costs_one_timer_and_no_task(network: Network, loop: VirtualLoop) -> None:
    """The ordinary case."""
    task = network.start(a=(0.02, ACCEPTS))
    assert len(loop.made) == 2  # the other one is the network's
    assert asyncio.all_tasks(loop) == {task}
    assert network.finish(task, 0.02) == (A, 0.02)


def test_what_is_decided_at_once_costs_no_timer(network: Network, loop: VirtualLoop) -> None:
    """Neither a connection that stands already nor a refusal."""
    assert network.start(a=(AT_ONCE, ACCEPTS), b=SILENT).result() == (A, 0.0)
    assert network.start(c=(AT_ONCE, REFUSES)).result() == "refused"
    assert loop.made == []


# -- who wins -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first_s", "second_s", "winner"),
    [
        (0.2, 0.0, (A, 0.2)),  # before the second begins
        (0.4, 0.5, (A, 0.4)),
        (0.4, 0.1, (B, 0.35)),
        (NEVER, 0.1, (B, 0.35)),
    ],
)
def test_the_first_that_accepts_wins(
    network: Network, first_s: float, second_s: float, winner: tuple[str, float]
) -> None:
    """The other one is closed in that instant; if it was overtaken, that is told."""
    task = network.start(a=(first_s, ACCEPTS), b=(second_s, ACCEPTS))
    assert network.finish(task) == winner
    assert network.open() == [winner[0]]
    overtaken = [(A, False)] if winner[0] == B else []
    assert network.told == [*overtaken, (winner[0], True)]


def test_whoever_was_silent_for_long_is_overtaken(network: Network) -> None:
    """And none that failed before is told twice."""
    task = network.start(a=SILENT, b=(0.01, REFUSES), c=(0.05, REFUSES), d=(0.1, ACCEPTS))
    network.finish(task, 0.01)
    assert network.told == [(B, False), (C, False), (A, False), ("198.51.100.3", True)]


def test_one_that_was_begun_later_is_not_overtaken(network: Network) -> None:
    """It may have been on its way to accept."""
    network.finish(network.start(a=(0.49, ACCEPTS), b=SILENT), 0.01)
    assert network.told == [(A, True)]


def test_two_that_accept_in_the_same_instant(network: Network, loop: VirtualLoop) -> None:
    """Make one winner."""
    task = network.start(a=SILENT, b=SILENT)
    loop.advance(0.25)
    for each in network.dialled:
        each.decide(ACCEPTS)
    winner, _ = network.finish(task)
    assert network.open() == [winner]
    assert network.told == [(winner, True)]


def test_accepting_in_the_instant_in_which_time_is_up(network: Network, loop: VirtualLoop) -> None:
    """Ends one way or the other, once."""
    task = network.start(a=(3.0, ACCEPTS))
    ended = network.finish(task, 3.0)
    assert ended in ("timeout", (A, 3.0))
    assert network.open() == ([] if ended == "timeout" else [A])

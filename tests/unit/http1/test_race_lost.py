"""Rules for races that are lost or given up: the reason, what is told, and what is left."""

from __future__ import annotations

import errno

import pytest

from proxy.http1.dial import connect_reason
from tests.unit.http1.fakes import VirtualLoop
from tests.unit.http1.network import (
    ACCEPTS,
    AT_ONCE,
    REFUSES,
    SILENT,
    UNREACHABLE,
    A,
    B,
    C,
    Fate,
    Network,
)

# -- when all fail --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fates", "reason"),
    [
        ({"a": SILENT}, "timeout"),
        ({"a": SILENT, "b": SILENT}, "timeout"),
        ({"a": (0.1, REFUSES), "b": (0.1, UNREACHABLE)}, "refused"),
        ({"a": (0.3, UNREACHABLE), "b": (AT_ONCE, REFUSES)}, "unreachable"),
        ({"a": SILENT, "b": (0.1, REFUSES)}, "refused"),
        ({"a": (0.1, REFUSES), "b": SILENT}, "refused"),
        ({"a": (0.1, errno.ETIMEDOUT), "b": (0.1, errno.ECONNRESET)}, "reset"),
        ({"a": SILENT, "b": (AT_ONCE, errno.EMFILE)}, "no_descriptor"),
        ({"a": (0.1, errno.EACCES)}, "connect_failed"),
    ],
)
def test_the_reason_is_that_of_the_first_address(
    network: Network, fates: dict[str, Fate], reason: str
) -> None:
    """Unless it was silent, and another one tells more."""
    assert network.finish(network.start(3.0, 3.0, **fates)) == reason
    assert network.open() == []


def test_failures_in_any_order_end_the_race_at_the_last_one(network: Network) -> None:
    """Nobody waits for time to be up when nobody is left."""
    task = network.start(a=(0.5, UNREACHABLE), b=(0.1, REFUSES), c=(0.05, REFUSES))
    assert network.finish(task) == "unreachable"
    assert network.elapsed() == 0.5
    assert network.told == [(B, False), (C, False), (A, False)]


# -- what is told --------------------------------------------------------------------


def test_each_end_is_told_when_it_comes(network: Network, loop: VirtualLoop) -> None:
    """Not only when all is over."""
    task = network.start(a=(0.1, REFUSES), b=(0.2, ACCEPTS))
    loop.advance(0.1)
    assert network.told == [(A, False)]
    network.finish(task)
    assert network.told == [(A, False), (B, True)]


def test_silence_until_the_end_is_told(network: Network) -> None:
    """Of all that were silent for long enough to say so."""
    network.finish(network.start(a=SILENT, b=SILENT))
    assert network.told == [(A, False), (B, False)]


def test_silence_of_a_moment_is_not_told(network: Network) -> None:
    """One that was begun right before the end may be well."""
    task = network.start(within_s=0.3, a=SILENT, b=SILENT)
    assert network.finish(task, 0.01) == "timeout"
    assert network.told == [(A, False)]


def test_a_call_that_is_out_of_time_says_nothing_about_addresses(network: Network) -> None:
    """A slow call before it must not make healthy addresses look dead."""
    task = network.start(within_s=0.05, a=(0.1, ACCEPTS), b=(0.1, ACCEPTS))
    assert network.finish(task) == "timeout"
    assert network.told == []


def test_a_short_timeout_tells_nonetheless(network: Network) -> None:
    """Where connections may take so long and no longer, silence for that time is an end."""
    network.finish(network.start(within_s=0.1, patience_s=0.1, a=SILENT, b=SILENT), 0.01)
    assert network.told == [(A, False), (B, False)]


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL])
def test_our_own_trouble_is_not_the_addresss(network: Network, number: int) -> None:
    """Nothing is told of it."""
    network.finish(network.start(a=(AT_ONCE, number)))
    assert network.told == []


# -- cancellation ----------------------------------------------------------------------


@pytest.mark.parametrize("at_s", [0.0, 0.1, 0.25, 0.3, 0.5, 0.6])
def test_a_cancelled_race_leaves_nothing(network: Network, loop: VirtualLoop, at_s: float) -> None:
    """At whatever point: no socket, no timer, and nothing is told of the addresses."""
    task = network.start(a=SILENT, b=SILENT, c=SILENT)
    while network.elapsed() < at_s:
        loop.advance(0.05)
    task.cancel()
    loop.settle()
    assert task.cancelled()
    assert (network.open(), network.told) == ([], [])
    assert len(network.begun) == 1 + int(at_s / 0.25)


@pytest.mark.parametrize("ticks", range(6))
def test_cancelled_while_one_is_winning(network: Network, loop: VirtualLoop, ticks: int) -> None:
    """The winner is handed over or closed, in whatever order the two come."""
    task = network.start(a=SILENT, b=SILENT)
    loop.advance(0.25)
    for each in network.dialled:
        each.decide(ACCEPTS)
    for _ in range(ticks):
        loop.tick()
    task.cancel()
    loop.settle()
    assert len(network.open()) == (0 if task.cancelled() else 1)


@pytest.mark.parametrize("ticks", range(4))
def test_cancelled_when_the_next_is_due(network: Network, loop: VirtualLoop, ticks: int) -> None:
    """No attempt is begun for nobody."""
    task = network.start(a=SILENT, b=SILENT)
    loop.instant += 0.25
    for _ in range(ticks):
        loop.tick()
    task.cancel()
    loop.settle()
    assert task.cancelled()
    assert network.open() == []


# -- the kernel's side -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ECONNREFUSED, "refused"),
        (errno.ECONNRESET, "reset"),
        (errno.ETIMEDOUT, "timeout"),
        (errno.EHOSTUNREACH, "unreachable"),
        (errno.ENETUNREACH, "unreachable"),
        (errno.EADDRNOTAVAIL, "no_local_port"),
        (errno.EMFILE, "no_descriptor"),
        (errno.ENFILE, "no_descriptor"),
        (errno.EACCES, "connect_failed"),
        (None, "connect_failed"),
    ],
)
def test_reasons_of_the_kernel_are_words_of_ours(number: int | None, reason: str) -> None:
    """So that ours, the network's and the partner's doings can be told apart."""
    assert connect_reason(OSError(number, "x")) == reason

"""Rules for races that hold for whatever becomes of the addresses."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.http1.fakes import VirtualLoop
from tests.unit.http1.network import ACCEPTS, AT_ONCE, NEVER, REFUSES, Fate, Network

APART_S, WITHIN_S, STEP_S = 0.25, 2.0, 0.05
TIMES = st.sampled_from([AT_ONCE, 0.0, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 1.0, NEVER])
FATES = st.lists(st.tuples(TIMES, st.sampled_from([ACCEPTS, REFUSES])), min_size=1, max_size=6)


def latest_s(fates: list[Fate]) -> float:
    """When the race must be decided at the latest: each begins no later than by the clock."""
    ends = [number * APART_S + max(0.0, after_s) for number, (after_s, _) in enumerate(fates)]
    accepted = [end for end, (_, code) in zip(ends, fates, strict=True) if code == ACCEPTS]
    return min(WITHIN_S, *accepted, WITHIN_S) if accepted else min(WITHIN_S, max(ends))


@settings(max_examples=150, deadline=None)
@given(fates=FATES, cancelled_at_s=st.none() | st.sampled_from([0.0, 0.1, 0.25, 0.5]))
def test_whatever_becomes_of_the_addresses(fates: list[Fate], cancelled_at_s: float | None) -> None:
    """One winner or none, in time; all other sockets are closed; what is told is true."""
    loop = VirtualLoop()
    with Network(loop).connecting() as network:
        names = {"abcdef"[number]: fate for number, fate in enumerate(fates)}
        task = network.start(within_s=WITHIN_S, patience_s=WITHIN_S, **names)
        while not task.done():
            if cancelled_at_s is not None and network.elapsed() >= cancelled_at_s:
                task.cancel()
            loop.advance(STEP_S)
            assert network.elapsed() <= latest_s(fates) + STEP_S + 1e-6
        won = not task.cancelled() and not isinstance(task.result(), str)
        assert network.open() == ([task.result()[0]] if won else [])
        accepted = [address for address, stands in network.told if stands]
        if won:
            assert accepted == [task.result()[0]]
        assert all(network.fates[address][1] == ACCEPTS for address in accepted)
        told = [address for address, _ in network.told]
        assert len(told) == len(set(told))
        assert loop.errors == []
    loop.end()

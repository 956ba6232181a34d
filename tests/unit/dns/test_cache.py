"""Rules for what an answer makes of what is known of a name."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from proxy.dns.answers import Answer, Answers, Records
from proxy.dns.cache import (
    ADDRESSES_MAX,
    FORBIDDEN,
    RETRY_MAX_S,
    Bounds,
    Entry,
    State,
    answered,
    orders,
    remembered,
)

BOUNDS = Bounds()
NOW = 1000.0
EMPTY: Answer = "no_addresses"
LIES = ["no_such_name", "no_addresses", "timeout", "server_failure", "refused", "no_server"]


def good(*addresses: str, ttl_s: float = 60.0) -> Answers:
    """These IPv4 addresses, and no others."""
    return Answers(Records(addresses or ("192.0.2.1",), ttl_s), EMPTY)


def bad(reason: str = "timeout") -> Answers:
    """Nothing."""
    return Answers(reason, reason)


def say(entry: Entry, answers: Answers, now: float = NOW, *, chance: float = 0.5) -> None:
    """An answer that is allowed whatever it says, but for one address."""
    answered(entry, answers, now, BOUNDS, lambda address: address != "10.0.0.1", chance)


@pytest.mark.parametrize(
    ("ttl_s", "used_s"), [(0.0, 5.0), (4.9, 5.0), (60.0, 60.0), (300.0, 300.0), (86_400.0, 300.0)]
)
def test_a_time_to_live_is_bounded(ttl_s: float, used_s: float) -> None:
    """Neither a question for each call nor addresses of last week."""
    entry = Entry("n")
    say(entry, good(ttl_s=ttl_s))
    assert entry.state(NOW + used_s - 0.01, BOUNDS) is State.FRESH
    assert entry.state(NOW + used_s, BOUNDS) is State.STALE


@given(chance=st.floats(0.0, 1.0), ttl_s=st.floats(5.0, 300.0))
def test_it_is_asked_for_again_ahead_of_time(chance: float, ttl_s: float) -> None:
    """Never twice in 1.3 times to live, and never too late for a slow name server."""
    entry = Entry("n")
    say(entry, good(ttl_s=ttl_s), chance=chance)
    after_s = entry.refresh_at - NOW
    assert ttl_s / 1.3 < after_s < ttl_s * 0.93


@pytest.mark.parametrize("reason", LIES)
def test_a_name_that_worked_keeps_its_addresses(reason: str) -> None:
    """Whatever name servers say of it now; for a day, and with the reason."""
    entry = Entry("n")
    say(entry, good("192.0.2.1", "192.0.2.2"))
    say(entry, bad(reason), NOW + 50.0)
    assert entry.ipv4 == ("192.0.2.1", "192.0.2.2")
    assert entry.state(NOW + 59.0, BOUNDS) is State.FRESH
    assert entry.state(NOW + 86_399.0, BOUNDS) is State.STALE
    assert entry.state(NOW + 86_400.0, BOUNDS) is State.UNKNOWN
    assert (entry.reason, entry.failing_since) == (reason, NOW + 50.0)


def test_addresses_that_must_not_be_connected_to_were_never_said() -> None:
    """The others of the same answer count; without any, the name is as it was."""
    entry = Entry("n")
    say(entry, good("10.0.0.1", "192.0.2.1"))
    assert entry.ipv4 == ("192.0.2.1",)
    say(entry, good("10.0.0.1"), NOW + 50.0)
    assert (entry.ipv4, entry.reason) == (("192.0.2.1",), FORBIDDEN)
    never = Entry("m")
    say(never, good("10.0.0.1"))
    assert (never.orders, never.reason) == ([], FORBIDDEN)


def test_a_recovery_ends_the_trouble() -> None:
    """At the first answer."""
    entry = Entry("n")
    say(entry, bad())
    say(entry, good(), NOW + 1.0)
    assert (entry.failures, entry.failing_since, entry.reason) == (0, None, "")
    assert entry.state(NOW + 1.0, BOUNDS) is State.FRESH


def test_failing_name_servers_are_asked_less_and_less_often() -> None:
    """At most every half a minute in the end, so that a recovery is seen soon."""
    entry = Entry("n")
    waits = []
    for _ in range(8):
        say(entry, bad(), chance=1.0)
        waits.append(entry.refresh_at - NOW)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    say(entry, bad(), chance=0.0)
    assert entry.refresh_at - NOW == pytest.approx(0.8 * RETRY_MAX_S)


def test_a_name_that_is_not_there_is_not_asked_for_by_each_call() -> None:
    """For half a minute at most."""
    entry = Entry("n")
    say(entry, bad("no_such_name"), chance=1.0)
    assert entry.state(NOW + 0.9, BOUNDS) is State.NEGATIVE
    assert entry.state(NOW + 1.0, BOUNDS) is State.UNKNOWN
    for _ in range(9):
        say(entry, bad("no_such_name"), chance=1.0)
    assert entry.state(NOW + 29.9, BOUNDS) is State.NEGATIVE
    assert entry.state(NOW + 30.0, BOUNDS) is State.UNKNOWN


def test_a_family_that_nobody_could_tell_about_keeps_what_it_had() -> None:
    """And one that is empty now loses it."""
    both = Answers(Records(("192.0.2.1",), 60.0), Records(("2001:db8::1",), 20.0))
    entry = Entry("n")
    say(entry, both)
    assert entry.fresh_until == NOW + 20.0
    say(entry, Answers(Records(("192.0.2.2",), 60.0), "timeout"))
    assert (entry.ipv4, entry.ipv6) == (("192.0.2.2",), ("2001:db8::1",))
    say(entry, good("192.0.2.3"))
    assert (entry.ipv4, entry.ipv6) == (("192.0.2.3",), ())


def test_each_address_has_its_turn() -> None:
    """IPv4 first, each family turned."""
    four, six = socket.AF_INET, socket.AF_INET6
    assert orders(("a", "b"), ("c",)) == [
        [(four, "a"), (four, "b"), (six, "c")],
        [(four, "b"), (four, "a"), (six, "c")],
    ]
    assert orders((), ()) == []


def test_what_an_earlier_run_knew_is_used_and_asked_for_at_once() -> None:
    """As stale, however young it is."""
    entry = Entry("n")
    remembered(entry, ("192.0.2.1",), (), NOW - 100.0)
    assert entry.state(NOW, BOUNDS) is State.STALE
    assert entry.refresh_at < NOW
    assert entry.state(NOW + 86_300.0, BOUNDS) is State.UNKNOWN


class AgainstANaiveModel(RuleBasedStateMachine):
    """The cache beside a list of everything that was ever said, on virtual time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.entry = Entry("n")
        self.said: list[tuple[float, float, tuple[str, ...]]] = []
        """(instant, bounded TTL, addresses) of every answer that had addresses."""

    @rule(seconds=st.floats(0.0, 20_000.0))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    @rule(
        addresses=st.lists(st.sampled_from(["192.0.2.1", "192.0.2.2", "10.0.0.1"]), unique=True),
        ttl_s=st.floats(0.0, 100_000.0),
        chance=st.floats(0.0, 1.0),
    )
    def hear(self, addresses: list[str], ttl_s: float, chance: float) -> None:
        """An answer; without addresses it is an empty one."""
        answer: Answer = Records(tuple(addresses), ttl_s) if addresses else EMPTY
        say(self.entry, Answers(answer, EMPTY), self.now, chance=chance)
        allowed = tuple(each for each in addresses if each != "10.0.0.1")
        if allowed:
            self.said.append((self.now, min(max(ttl_s, 5.0), 300.0), allowed))

    @rule(reason=st.sampled_from(LIES), chance=st.floats(0.0, 1.0))
    def fail(self, reason: str, chance: float) -> None:
        """No answer, or a lie."""
        say(self.entry, bad(reason), self.now, chance=chance)
        assert self.now < self.entry.refresh_at <= self.now + RETRY_MAX_S

    @invariant()
    def serves_the_last_good_answer(self) -> None:
        """Fresh within its TTL, stale for a day, and never an address that is not allowed."""
        state = self.entry.state(self.now, BOUNDS)
        if not self.said:
            assert state in (State.NEGATIVE, State.UNKNOWN)
            return
        at, ttl_s, addresses = self.said[-1]
        assert self.entry.ipv4 == addresses
        if self.now < at + ttl_s:
            assert state is State.FRESH
        elif self.now < at + BOUNDS.stale_max_s:
            assert state is State.STALE
        else:
            assert state in (State.NEGATIVE, State.UNKNOWN)
        assert all(sorted(order) == sorted(self.entry.orders[0]) for order in self.entry.orders)


TestAgainstANaiveModel = AgainstANaiveModel.TestCase


def test_an_answer_of_thousands_of_addresses_is_cut() -> None:
    """One that lies would take 200 MB here, and thousands of sockets in a race."""
    four = Records(tuple(f"192.0.{n // 256}.{n % 256}" for n in range(4000)), 60.0)
    six = Records(tuple(f"2001:db8::{n:x}" for n in range(2000)), 60.0)
    said, recalled = Entry("n"), Entry("n")
    say(said, Answers(four, six))
    remembered(recalled, four.addresses, six.addresses, NOW)
    for entry in (said, recalled):
        assert len(entry.orders) == ADDRESSES_MAX
        assert len(entry.orders[0]) == 2 * ADDRESSES_MAX

"""Rules for names that are kept fresh ahead of the calls that need them."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from proxy.dns.answers import Answer, Answers
from proxy.dns.lookup import GRACE_S, TOTAL_S
from proxy.dns.names import DEAD_S, Name
from tests.unit.dns.house import ONE, TWO, House, good, v4


async def test_what_is_known_is_given_at_once() -> None:
    """A list, nothing to wait for, each address first in its turn."""
    house = House()
    house.answer = good("192.0.2.1", "192.0.2.2")
    await house.known()
    found = [house.find() for _ in range(4)]
    assert (
        found
        == [
            v4("192.0.2.2", "192.0.2.1"),
            v4("192.0.2.1", "192.0.2.2"),
        ]
        * 2
    )


async def test_a_name_that_was_never_resolved_is_waited_for() -> None:
    """By many calls at once, with one question; the second family is not waited for long."""
    house = House()
    house.gate.clear()
    waiting = [asyncio.ensure_future(house.find()) for _ in range(5)]
    await asyncio.sleep(0)
    house.gate.set()
    assert await asyncio.gather(*waiting) == [v4("192.0.2.1")] * 5
    assert house.asked == [("one.example", GRACE_S)]


async def test_it_is_not_waited_for_long() -> None:
    """The call ends with a reason; the question goes on for those that come later."""
    house = House()
    house.gate.clear()
    assert await cast(Any, house.names.find(ONE, 0.01)) == "timeout"
    house.gate.set()
    await house.known()
    assert house.find() == v4("192.0.2.1")
    assert len(house.asked) == 1


async def test_a_name_that_has_nothing_is_refused_at_once_for_a_while() -> None:
    """With the name server's word for it; then it is asked for again."""
    house = House()
    house.answer = Answers("no_such_name", "no_such_name")
    await house.known()
    assert house.find() == "no_such_name"
    house.clock.advance(1.1)
    house.answer = good()
    again = house.find()
    assert not isinstance(again, str | list)
    assert await again == v4("192.0.2.1")


async def test_stale_addresses_are_given_while_name_servers_fail() -> None:
    """At once, for a day; after that the name is as good as unknown."""
    house = await House().known()
    house.answer = Answers("timeout", "timeout")
    house.clock.advance(86_000.0)
    assert house.find() == v4("192.0.2.1")
    house.clock.advance(401.0)
    late = house.find()
    assert not isinstance(late, str | list)
    assert await late == "timeout"


async def test_addresses_that_do_not_accept_stand_behind() -> None:
    """For half a minute, or until they do; when all are dead, all are tried."""
    house = House()
    house.answer = good("192.0.2.1", "192.0.2.2")
    await house.known()
    house.names.tell("192.0.2.1", False)
    assert [house.find() for _ in range(2)] == [v4("192.0.2.2", "192.0.2.1")] * 2
    assert house.names.report()[0]["dead"] == ["192.0.2.1"]
    house.names.tell("192.0.2.2", False)
    assert sorted(house.find()) == v4("192.0.2.1", "192.0.2.2")
    house.names.tell("192.0.2.2", True)
    assert [house.find() for _ in range(2)] == [v4("192.0.2.2", "192.0.2.1")] * 2
    house.clock.advance(DEAD_S)
    assert len({str(house.find()) for _ in range(2)}) == 2


async def test_private_addresses_are_for_those_who_said_so() -> None:
    """The same name may be two."""
    house = House(ONE, Name("one.example", private=True))
    house.answer = good("10.0.0.1")
    await house.known()
    assert house.find() == "forbidden_address"
    assert house.find(Name("one.example", private=True)) == v4("10.0.0.1")


async def test_names_are_asked_for_ahead_of_time_and_no_more_often() -> None:
    """With time for the second family; who failed is asked sooner."""
    house = await House(ONE, TWO).known()
    assert len(house.asked) == 2
    running = asyncio.create_task(house.names.run())
    await asyncio.sleep(0.01)
    assert len(house.asked) == 2
    for entry in house.names.entries.values():
        assert 48.0 < entry.refresh_at - house.clock.now() < 56.0
    house.clock.advance(56.0)
    for wake in house.names._wake.values():
        wake.set()
    await asyncio.sleep(0.01)
    assert sorted(house.asked[2:]) == [("one.example", TOTAL_S), ("two.example", TOTAL_S)]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_bug_of_the_lookup_is_told_and_asked_again_later() -> None:
    """What is known stays in use."""
    house = await House().known()
    house.answer = ZeroDivisionError()
    house.clock.advance(100.0)
    await asyncio.wait([house.names._refresh_now(ONE)])
    assert [type(bug) for bug in house.bugs] == [ZeroDivisionError]
    assert house.find() == v4("192.0.2.1")
    assert house.names.report()[0]["reason"] == "dns_failed"


@pytest.mark.parametrize(
    ("answer", "passed_s", "troubled"),
    [
        ("timeout", 1.0, False),
        ("timeout", 61.0, True),
        ("no_such_name", 1.0, True),
        ("no_addresses", 1.0, True),
    ],
)
async def test_which_names_are_in_trouble(answer: Answer, passed_s: float, troubled: bool) -> None:
    """Served past their time; or said to be gone, however fresh they are."""
    house = await House().known()
    house.answer = Answers(answer, answer)
    house.clock.advance(passed_s)
    await asyncio.wait([house.names._refresh_now(ONE)])
    assert [entry.name for entry in house.names.in_trouble()] == ["one.example"] * troubled
    house.answer = good()
    await asyncio.wait([house.names._refresh_now(ONE)])
    assert house.names.in_trouble() == []


async def test_the_report_has_a_row_for_each_name() -> None:
    """What is known, for how long, and what is wrong."""
    house = House(ONE, TWO)
    (unknown, _) = house.names.report()
    assert (unknown["state"], unknown["age_s"], unknown["addresses"]) == ("unknown", None, [])
    await house.known()
    house.clock.advance(10.0)
    (row, _) = house.names.report()
    assert (row["name"], row["state"], row["age_s"]) == ("one.example", "fresh", 10.0)
    assert row["addresses"] == ["192.0.2.1"]
    assert row["failing_since"] is None

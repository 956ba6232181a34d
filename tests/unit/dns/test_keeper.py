"""Rules for keeping addresses over a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from proxy.dns import keeper as keeping
from proxy.dns.answers import Answers, Records
from proxy.dns.keeper import Keeper
from proxy.dns.names import Name
from proxy.dns.snapshot import read
from tests.unit.dns.house import ONE, TWO, House, good, v4


async def kept(path: Path) -> House:
    """A house whose names were resolved and written."""
    house = await House(ONE, TWO).known()
    await Keeper(house.names, path, house.clock).write()
    return house


async def test_a_restart_in_an_outage_serves(tmp_path: Path) -> None:
    """As stale, with its age; nobody is waited for."""
    path = tmp_path / "dns.json"
    await kept(path)
    house = House(ONE, TWO)
    house.gate.clear()
    house.clock.wall_jump_s = 3600.0
    assert Keeper(house.names, path, house.clock).recall() == 2
    assert house.find() == v4("192.0.2.1")
    row = house.names.report()[0]
    assert row["state"] == "stale"
    assert row["age_s"] == pytest.approx(3600.0)
    await house.names.settled(0.01)
    assert house.asked == []


async def test_what_is_too_old_or_unknown_or_forbidden_is_not_used(tmp_path: Path) -> None:
    """A day old; a name of no upstream; an address that only private names may have."""
    path = tmp_path / "dns.json"
    await kept(path)
    old = House(ONE)
    old.clock.wall_jump_s = 86_401.0
    assert Keeper(old.names, path, old.clock).recall() == 0
    other = House(Name("other.example", private=False))
    assert Keeper(other.names, path, other.clock).recall() == 0
    private = House(Name("one.example", private=True))
    private.answer = good("10.0.0.1")
    await private.known()
    await Keeper(private.names, path, private.clock).write()
    assert Keeper(House(ONE).names, path, private.clock).recall() == 0


async def test_a_damaged_snapshot_is_told_and_not_used(tmp_path: Path) -> None:
    """A start without it is a start."""
    path = tmp_path / "dns.json"
    path.write_text("{")
    house = House()
    keeper = Keeper(house.names, path, house.clock)
    assert (keeper.recall(), "is damaged" in keeper.trouble) == (0, True)
    await house.known()
    await keeper.write()
    assert (keeper.trouble, list(read(path))) == ("", ["one.example"])


async def test_a_disk_that_cannot_take_it_costs_nothing_else(tmp_path: Path) -> None:
    """It is told, for whoever looks."""
    (tmp_path / "file").write_text("x")
    house = await House().known()
    keeper = Keeper(house.names, tmp_path / "file" / "dns.json", house.clock)
    await keeper.write()
    assert "cannot be written" in keeper.trouble
    assert house.find() == v4("192.0.2.1")


async def test_it_is_written_soon_after_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes that come together are written together; without one, now and then."""
    monkeypatch.setattr(keeping, "_WRITE_AFTER_S", 0.01)
    path = tmp_path / "dns.json"
    house = House()
    running = asyncio.create_task(Keeper(house.names, path, house.clock).run())
    await house.known()
    for _ in range(500):
        if path.exists():
            break
        await asyncio.sleep(0.01)
    assert read(path)["one.example"].ipv4 == ("192.0.2.1",)
    monkeypatch.setattr(keeping, "_WRITE_EVERY_S", 0.01)
    house.answer = Answers(Records(("192.0.2.2",), 60.0), "no_addresses")
    await asyncio.wait([house.names._refresh_now(ONE)])
    for _ in range(500):
        if read(path)["one.example"].ipv4 == ("192.0.2.2",):
            break
        await asyncio.sleep(0.01)
    assert read(path)["one.example"].ipv4 == ("192.0.2.2",)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

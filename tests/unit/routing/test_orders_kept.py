"""`proxy.routing.orders`: what operators say is kept, whatever the disk and the clocks do."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from proxy.model.checked_file import FileError
from proxy.model.standing import Kind
from proxy.routing import kept, orders
from tests.support.manual_clock import ManualClock
from tests.unit.routing.running import HOUR, Run


async def test_a_restart_knows_what_stood(tmp_path: Path) -> None:
    """For the rest of its time, and it says so."""
    path = tmp_path / "o"
    first = Run(path)
    await first.orders.drain("a", HOUR)
    await first.orders.force("charges", "b", HOUR)
    await first.orders.force("refunds", "a", HOUR)
    await first.orders.release(Kind.FORCE, "refunds")
    clock = ManualClock(start_s=5.0)
    clock.advance(600.0)
    again = Run(path, clock)
    assert (again.now(), again.overrides.drained("a")) == (["b"], True)
    assert [left_s for _, left_s in again.overrides.remaining()] == [3000.0, 3000.0]
    assert again.notes == (
        "drain of a is in force for 3000 s more: maintenance (ann)",
        "force of charges to b is in force for 3000 s more: maintenance (ann)",
    )
    assert [each.change for each in again.told] == ["restored", "restored"]


async def test_a_wall_clock_that_was_set_back_makes_none_longer(tmp_path: Path) -> None:
    """It was asked for an hour."""
    path = tmp_path / "o"
    await Run(path).orders.drain("a", HOUR)
    clock = ManualClock()
    clock.wall_jump_s = -86_400.0
    ((_, left_s),) = Run(path, clock).overrides.remaining()
    assert left_s == 3600.0


async def test_what_ended_or_has_no_names_any_more_is_told_and_written_off(tmp_path: Path) -> None:
    """It is not in force, and the next run does not hear of it."""
    path = tmp_path / "o"
    wall = ManualClock().wall()
    kept.write(path, [
        kept.Kept(Kind.DRAIN, "", "a", "r", "b", wall - 90.0, wall - 30.0, 60.0),
        kept.Kept(Kind.DRAIN, "", "gone", "r", "b", wall - 90.0, wall + 30.0, 120.0),
    ])  # fmt: skip
    run = Run(path)
    assert run.notes == (
        "drain of a has ended while no sidecar ran",
        "drain of gone: the configuration has no such names",
    )
    assert [each.change for each in run.told] == ["expired", "dropped"]
    assert run.now() == ["a", "b"]
    await run.orders.tend()
    assert kept.read(path) == []


async def test_a_damaged_file_is_told_and_stays_until_there_is_something_to_write(
    tmp_path: Path,
) -> None:
    """In a note at the start, and in each answer after it."""
    path = tmp_path / "o"
    path.write_text("{")
    run = Run(path)
    assert "is damaged" in run.notes[0]
    assert "is not in force" in run.notes[0]
    await run.orders.tend()
    assert (path.read_text(), run.orders.tell()["kept"]) == ("{", False)
    assert (await run.orders.drain("a", HOUR))[1]["kept"]
    assert Run(path).now() == ["b"]


async def test_a_disk_that_is_full_stops_no_operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is in force, the answer says that it is not kept, and it is written later."""
    path, full = tmp_path / "o", True

    def write(at: Path, orders: Any, real: Any = kept.write) -> None:
        if full:
            raise FileError(f"{at} cannot be written: no space")
        real(at, orders)

    monkeypatch.setattr(kept, "write", write)
    run = Run(path)
    _, found = await run.orders.drain("a", HOUR)
    assert (run.now(), found["kept"], "no space" in found["trouble"]) == (["b"], False, True)
    full = False
    await run.orders.tend()
    assert not path.exists(), "not at every look"
    run.clock.advance(10.0)
    await run.orders.tend()
    assert (run.orders.trouble, Run(path).now()) == ("", ["b"])


async def test_a_disk_that_hangs_makes_no_operator_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer says that it is in force and not kept yet; whoever asked may leave."""
    path, goes_on, real = tmp_path / "o", threading.Event(), kept.write

    def write(at: Path, orders: Any) -> None:
        goes_on.wait(10.0)
        real(at, orders)

    monkeypatch.setattr(kept, "write", write)
    monkeypatch.setattr(orders, "_ANSWER_WITHIN_S", 0.01)
    run = Run(path)
    _, found = await run.orders.drain("a", HOUR)
    assert (run.now(), found["kept"], "still being written" in found["trouble"]) == (
        ["b"], False, True,
    )  # fmt: skip
    goes_on.set()
    while not run.orders.tell()["kept"]:
        await asyncio.sleep(0.001)
    assert Run(path).now() == ["b"]


async def test_orders_that_come_together_are_all_kept(tmp_path: Path) -> None:
    """One file, written by one at a time."""
    run = Run(tmp_path / "o")
    await asyncio.gather(
        run.orders.drain("a", HOUR), run.orders.force("charges", "b", HOUR),
        run.orders.force("refunds", "a", HOUR), run.orders.release(Kind.DRAIN, "a"),
    )  # fmt: skip
    assert {each.route for each in kept.read(tmp_path / "o")} == {"charges", "refunds"}


async def test_what_stands_is_written_anew_now_and_then(tmp_path: Path) -> None:
    """The wall clock, by which it is kept, may have been set meanwhile."""
    path = tmp_path / "o"
    run = Run(path)
    await run.orders.drain("a", HOUR)
    run.clock.wall_jump_s = 7200.0
    run.clock.advance(600.0)
    await run.orders.tend()
    (found,) = kept.read(path)
    assert found.until == run.clock.wall() + 3000.0

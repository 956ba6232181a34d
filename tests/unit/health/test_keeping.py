"""`proxy.health.keeping`: incidents and learned hours outlive a restart, and a bad file is told."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.health import keeping
from proxy.health.keeping import Keeper
from proxy.model.checked_file import write
from proxy.model.health import HealthLimits
from proxy.model.phase import Phase
from tests.support.healthy import Watched, unsent


def _with_an_incident() -> Watched:
    watched = Watched("a", limits=HealthLimits())
    for _ in range(8):
        watched.end("a", unsent(watched.at["a"], Phase.CONNECT, "refused"))
        watched.second()
    return watched


async def test_what_is_open_and_what_is_usual_is_there_after_a_restart(tmp_path: Path) -> None:
    """The incident with its id, the route with its hours."""
    watched, path = _with_an_incident(), tmp_path / "incidents"
    watched.health.silences["a"].recall({"5": (100.0, 3.0, 2)})
    keeper = Keeper(watched.health, path)
    await keeper.write()
    assert keeper.trouble == ""
    again = Watched("a", limits=HealthLimits())
    assert Keeper(again.health, path).recall() == ()
    assert list(again.health.incidents.all) == list(watched.health.incidents.all)
    assert again.health.silences["a"].learned() == {"5": (100.0, 3.0, 2)}


async def test_changes_are_written_within_a_second_and_nothing_else(tmp_path: Path) -> None:
    """No write without a change, but for what is learned now and then."""
    watched, path = _with_an_incident(), tmp_path / "incidents"
    keeper, slept = Keeper(watched.health, path), 0

    async def sleep(seconds: float) -> None:
        nonlocal slept
        slept += 1
        if slept == 2:
            path.unlink()
        if slept == 500:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        await keeper.run(sleep)
    assert not path.exists()


async def test_a_disk_that_cannot_take_it_is_told_and_asked_again(tmp_path: Path) -> None:
    """It goes on in memory."""
    folder = tmp_path / "file"
    folder.write_text("no folder")
    keeper = Keeper(_with_an_incident().health, folder / "incidents")
    await keeper.write()
    assert "cannot be written" in keeper.trouble


@pytest.mark.parametrize(
    "content", [[], {"incidents": [{}], "usual": {}}, {"incidents": [], "usual": {"a": {"1": 2}}}]
)
def test_a_file_that_is_no_record_is_a_note_and_no_failure(tmp_path: Path, content: object) -> None:
    """A sidecar starts without it."""
    path = tmp_path / "incidents"
    write(path, "incidents", content)
    keeper = Keeper(Watched("a", limits=HealthLimits()).health, path)
    (note,) = keeper.recall()
    assert "damaged" in note


async def test_however_much_there_is_it_can_be_read_again(tmp_path: Path) -> None:
    """The oldest that ended give way; a file that is too large would be called damaged."""
    watched, path = _with_an_incident(), tmp_path / "incidents"
    (model,) = watched.health.incidents.open
    known = watched.health.incidents.all
    known.clear()
    for number in range(100):
        known[str(number)] = replace(model, id=str(number), evidence=["x" * 50_000])
    keeper = Keeper(watched.health, path)
    await keeper.write()
    again = Watched("a", limits=HealthLimits())
    assert Keeper(again.health, path).recall() == ()
    found = list(again.health.incidents.all)
    assert 50 < len(found) < 100
    assert found == list(known)[-len(found) :]


async def test_a_write_that_goes_on_is_waited_for_though_nobody_asks_for_it_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the end of a sidecar: two at once would leave a file of both."""
    at_work, most, go = 0, 0, threading.Event()

    def slow(*_: object) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        go.wait(10.0)
        at_work -= 1

    monkeypatch.setattr(keeping, "write", slow)
    keeper = Keeper(_with_an_incident().health, tmp_path / "incidents")
    first = asyncio.create_task(keeper.write())
    while not at_work:
        await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    last = asyncio.create_task(keeper.write())
    for _ in range(20):
        await asyncio.sleep(0.001)
    go.set()
    await last
    assert (most, at_work) == (1, 0)


async def test_without_a_file_nothing_is_kept() -> None:
    """And nothing is wrong."""
    keeper = Keeper(_with_an_incident().health, None)
    assert keeper.recall() == ()
    await keeper.run()
    await keeper.write()
    assert keeper.trouble == ""

"""`proxy.health.keeping`: incidents and learned hours outlive a restart, and a bad file is told."""

from __future__ import annotations

from pathlib import Path

import pytest

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


async def test_without_a_file_nothing_is_kept() -> None:
    """And nothing is wrong."""
    keeper = Keeper(_with_an_incident().health, None)
    assert keeper.recall() == ()
    await keeper.run()
    await keeper.write()
    assert keeper.trouble == ""

"""A journal of an earlier release under this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.older_journal import age_format
from tests.support.origin import Origin
from tests.support.sidecar import Sidecar
from tests.wire.test_journal import house, numbered, pay


@pytest.mark.parametrize("version", [1, 2])
def test_a_key_of_an_earlier_release_executes_no_second_time(tmp_path: Path, version: int) -> None:
    """It is rewritten at the start, which says so, and remembers."""
    with Origin(numbered) as origin:
        document = house(tmp_path, [origin])
        with Sidecar(document, tmp_path) as sidecar:
            first = [pay(sidecar, f"k{number}") for number in range(3)]
            assert sidecar.stop() == 0
        assert age_format(tmp_path / "j.db", version) == 3
        with Sidecar(document, tmp_path) as sidecar:
            again = [pay(sidecar, f"k{number}") for number in range(3)]
            fresh = pay(sidecar, "k3")
            assert "of an earlier release: 3 rows" in sidecar.stderr
            assert sidecar.stop() == 0
        assert [reply.header("tidegate-replayed") for reply in again] == ["true"] * 3
        assert [reply.body for reply in again] == [reply.body for reply in first]
        assert (fresh.status, len(origin.received)) == (201, 4)

"""What several tests of the embedded journal begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from proxy.idempotency import sqlite_ids
from tests.unit.idempotency.disks import Disk
from tests.unit.idempotency.files import File


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Disk]:
    """A folder for a journal."""
    made = Disk(tmp_path)
    yield made
    await made.close()


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch) -> Iterator[File]:
    """Tables without rows; a single row that is left of a stretch is not few."""
    monkeypatch.setattr(sqlite_ids, "_FEW_MAX", 0)
    made = File()
    yield made
    made.connection.close()

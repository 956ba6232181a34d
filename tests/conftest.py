"""What holds for every test: how generated cases are chosen, and readable failures in helpers."""

from __future__ import annotations

import pytest
from hypothesis import settings

pytest_plugins = ["tests.support.postgres"]

# Helpers assert too; without this their failures would not show the values.
pytest.register_assert_rewrite("tests.support")

# No time limit per case (the machine may be busy) and no database on disk (a run leaves nothing
# behind); a failure prints the blob that replays it.
settings.register_profile("tidegate", deadline=None, database=None, print_blob=True)
settings.load_profile("tidegate")

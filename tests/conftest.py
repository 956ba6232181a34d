"""What holds for every test: how generated cases are chosen, and readable failures in helpers."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

pytest_plugins = ["tests.support.postgres"]

# Helpers assert too; without this their failures would not show the values.
pytest.register_assert_rewrite("tests.support")

# No time limit per case (the machine may be busy) and no database on disk (a run leaves nothing
# behind); a failure prints the blob that replays it.
settings.register_profile("tidegate", deadline=None, database=None, print_blob=True)
settings.load_profile("tidegate")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """A worker measures coverage by itself, and not once more as a process that a test started."""
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """One measurement in a worker: pytest-cov begins two of them, one on top of the other, and to
    pause the upper one for what is marked `no_cover` would only wake the other.
    """
    plugin = session.config.pluginmanager.getplugin("_cov")
    if hasattr(session.config, "workerinput") and plugin is not None and plugin.cov_controller:
        plugin.cov_controller.cov.stop()

"""What holds for every test: how generated cases are chosen, and readable failures in helpers."""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import proxy

_TESTS = Path(__file__).parent
_MEASURED = ("contract/", "stack/", "unit/", "wire/test_telemetry.py")
"""The one of the wire has its sidecars in the test's own process."""

pytest_plugins = ["tests.support.postgres"]

# Helpers assert too; without this their failures would not show the values.
pytest.register_assert_rewrite("tests.support")

# No time limit per case (the machine may be busy) and no database on disk (a run leaves nothing
# behind); a failure prints the blob that replays it.
settings.register_profile("tidegate", deadline=None, database=None, print_blob=True)
settings.load_profile("tidegate")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """A worker measures coverage by itself, and not once more as a process that a test started.

    The process that hands out the tests runs none of what is measured, and is not traced.
    """
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
    _end_measurement(config)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Tests are collected untraced: what is measured is imported before."""
    measuring = _measuring(session.config)
    if measuring is None or session.config.getoption("dist", "no") != "no":
        yield
        return
    for module in pkgutil.walk_packages(proxy.__path__, "proxy."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    measuring.pause()
    try:
        yield
    finally:
        measuring.resume()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coverage is that of the written cases of `_MEASURED`; the rest is volume, traced for nothing.

    Tracing doubles what a test costs, and what generated cases, simulations and real
    processes pass are the same lines, hundreds of times.
    """
    for item in items:
        path = item.path.relative_to(_TESTS).as_posix()
        if not path.startswith(_MEASURED) or item.get_closest_marker("hypothesis"):
            item.add_marker(pytest.mark.no_cover)


def pytest_collection_finish() -> None:
    """What was collected stays until the end, and no look for garbage goes through it again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """One measurement in a worker: pytest-cov begins two of them, one on top of the other, and to
    pause the upper one for what is marked `no_cover` would only wake the other.
    """
    if hasattr(session.config, "workerinput"):
        _end_measurement(session.config)


def _end_measurement(config: pytest.Config) -> None:
    """Ends what pytest-cov measures in this process so far, if it does."""
    measuring = _measuring(config)
    if measuring is not None:
        measuring.cov.stop()


def _measuring(config: pytest.Config) -> Any:
    """What measures coverage in this process; None where nothing does."""
    plugin = config.pluginmanager.getplugin("_cov")
    return None if plugin is None else plugin.cov_controller

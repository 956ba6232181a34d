"""One processor process for all tests of a worker; each test finds it without faults."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from proxy.sandbox.client import SandboxPartner


@pytest.fixture(scope="session")
def _shared_processor() -> Iterator[SandboxPartner]:
    with SandboxPartner.start("processor", "shared", seed=7) as partner:
        yield partner


@pytest.fixture
def processor(_shared_processor: SandboxPartner) -> Iterator[SandboxPartner]:
    """A running processor; its faults are cleared afterwards, its ledger keeps growing."""
    yield _shared_processor
    _shared_processor.clear()
    assert _shared_processor.stats()["bugs"] == 0


_numbers = itertools.count(1)


@pytest.fixture
def reference(request: pytest.FixtureRequest) -> str:
    """A reference that no other test uses."""
    return f"{request.node.name}-{next(_numbers)}"


@pytest.fixture
def rows(processor: SandboxPartner, reference: str) -> Callable[[], list[str]]:
    """The operations in the ledger under this test's reference, in order."""

    def read() -> list[str]:
        return [row["operation"] for row in processor.ledger() if row["reference"] == reference]

    return read

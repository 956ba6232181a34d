"""`proxy.app_checks`: a configuration is looked at without starting a sidecar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.app_checks import explain_call, files_are_usable
from proxy.model.errors import StartError
from proxy.settings.load import load
from tests.support.house import written
from tests.support.origin import Origin
from tests.support.values import CARD


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A partner that answers 200 `ok`."""
    with Origin() as running:
        yield running


def test_explain_says_what_would_happen(tmp_path: Path, origin: Origin) -> None:
    """From the same table that calls are routed by."""
    loaded = load(written(tmp_path, origin))
    text = explain_call(loaded, "localhost", "/psp/charges", "POST")
    assert text is not None
    assert text.startswith("route charges")
    assert explain_call(loaded, "localhost", "/other", "POST") is None
    assert explain_call(loaded, "localhost", "/psp//x", "POST") is not None


def test_a_certificate_that_cannot_be_used_is_found_by_the_check(
    tmp_path: Path, origin: Origin
) -> None:
    """Before the start, with the file's name."""
    (tmp_path / "ca.pem").write_text(CARD, encoding="utf-8")
    over = {"url": "https://127.0.0.1:1", "tls": {"ca_file": "ca.pem"}}
    loaded = load(written(tmp_path, origin, upstream=over))
    with pytest.raises(StartError, match=r"ca\.pem") as raised:
        files_are_usable(loaded)
    assert CARD not in str(raised.value)
    files_are_usable(load(written(tmp_path, origin)))

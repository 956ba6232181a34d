"""`proxy.model.telemetry`: where telemetry goes, and what must not be seen of it."""

from __future__ import annotations

import pytest

from proxy.model.telemetry import Collector


@pytest.mark.parametrize(
    ("host", "shown"), [("c.example", "c.example:4317"), ("::1", "[::1]:4317")]
)
def test_an_address_has_its_port(host: str, shown: str) -> None:
    """An IPv6 address in brackets, or its port would be a part of it."""
    assert Collector(tls=False, host=host, port=4317, path="").authority == shown


def test_headers_are_in_no_repr() -> None:
    """They are credentials as a rule."""
    collector = Collector(False, "c", 1, "", headers=(("x-key", "s3cret"),))
    assert "s3cret" not in repr(collector)

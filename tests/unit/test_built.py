"""`proxy.built`: the process says what it runs as."""

from __future__ import annotations

from importlib.machinery import ModuleSpec

import pytest

from proxy import built


@pytest.mark.parametrize(
    ("origin", "form"),
    [("/x/proxy/model/outcome.py", "interpreted"), ("/x/outcome.cpython-311.so", "compiled")],
)
def test_the_form_follows_from_the_file_that_was_loaded(
    monkeypatch: pytest.MonkeyPatch, origin: str, form: str
) -> None:
    """Of one module that calls pass through."""
    spec = ModuleSpec("proxy.model.outcome", None, origin=origin)
    monkeypatch.setattr(built, "find_spec", lambda _: spec)
    assert built.form() == form

"""`proxy.settings.build_probing`: checks and standbys as plain values."""

from __future__ import annotations

from proxy.model.checking import CHECKS, CheckKind, Standby
from proxy.settings.build_probing import checks, standby
from proxy.settings.probing import Checks
from proxy.settings.probing import Standby as Written


def test_the_defaults_are_those_of_the_model() -> None:
    """Each number stands in one place, or says the same in both."""
    made = checks(Checks())
    assert made.request is not None
    assert made.__class__(**{name: getattr(made, name) for name in made.__slots__
                             if name != "request"}) == CHECKS  # fmt: skip
    assert standby(Written()) == Standby()


def test_a_request_passes_by_status_or_class() -> None:
    """An exact one, or all of a hundred."""
    asked = {"target": "/up?x=1", "expect": ["2xx", "404"], "body": "{}"}
    built = checks(Checks.model_validate({"kind": "request", "request": asked}))
    assert built.kind is CheckKind.REQUEST
    made = built.request
    assert made is not None
    assert (made.method, made.target, made.body) == (b"GET", b"/up?x=1", b"{}")
    assert [made.passes(status) for status in (200, 204, 404, 400, 500)] == [
        True, True, True, False, False,
    ]  # fmt: skip


def test_no_share_is_no_standby() -> None:
    """Unset, and zero."""
    assert standby(None) is None
    assert standby(Written(share=0.0)) is None

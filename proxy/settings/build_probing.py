"""Settings of checks and standbys to the plain values that the checker and the routes read."""

from __future__ import annotations

from proxy.model import checking as model
from proxy.settings.probing import CheckRequest, Checks, Standby


def checks(written: Checks) -> model.CheckLimits:
    """How one upstream is checked."""
    return model.CheckLimits(
        kind=written.kind,
        interval_s=written.interval_s,
        timeout_s=written.timeout_s,
        fall=written.fall,
        rise=written.rise,
        proven_within_s=written.proven_within_s,
        request=_request(written.request or CheckRequest()),
    )


def standby(written: Standby | None) -> model.Standby | None:
    """What a route's standbys take; None: nothing but what fails over."""
    if written is None or not written.share:
        return None
    return model.Standby(written.share, written.every_s)


def _request(written: CheckRequest) -> model.CheckRequest:
    return model.CheckRequest(
        written.method.encode(),
        written.target.encode(),
        written.operation,
        (written.body or "").encode(),
        frozenset(int(each.removesuffix("xx")) for each in written.expect),
    )

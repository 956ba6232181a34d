"""`proxy.upstream.transport`: what belongs to one upstream, made once."""

from __future__ import annotations

from proxy.upstream.transport import Transport
from tests.support.manual_clock import ManualClock
from tests.support.scripted import ScriptedPool
from tests.support.values import candidate, route


def test_rewriters_are_made_once_for_each_route_and_upstream() -> None:
    """They belong to the pair: another route has another prefix and other headers."""
    transport = Transport(ScriptedPool("a", ManualClock(), [], []).as_pool())
    at, refunds = candidate("a"), route(name="refunds", path_prefix=b"/refunds")
    first = transport.rewriter(route(), at)
    assert transport.rewriter(route(), at) is first
    assert transport.rewriter(refunds, at) is not first
    assert first.target(b"/psp/x") == b"/psp/x"

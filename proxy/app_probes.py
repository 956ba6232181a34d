"""What joins operators' words, active checks and the standby's share to the breakers."""

from __future__ import annotations

from collections.abc import Mapping

from proxy.app_parts import Around
from proxy.guard.guards import Guards
from proxy.health.checker import Checker
from proxy.inbound.translate import Identities
from proxy.model.events import Event
from proxy.model.setup import Built
from proxy.model.standing import Override
from proxy.routing.overrides import Overrides
from proxy.telemetry.sink import Sink
from proxy.upstream.ask import Asking
from proxy.upstream.attempt import attempts
from proxy.upstream.check import Checking
from proxy.upstream.transport import Transport


def hold_breakers(overrides: Overrides, guards: Guards) -> None:
    """An isolation that stands holds the upstream's breakers open."""

    def hold(upstream: str, standing: Override | None) -> None:
        if standing is None:
            guards.release(upstream)
        else:
            guards.isolate(upstream, standing.reason, standing.ends_at)

    overrides.hold, overrides.holds = hold, guards.knows


def make_checker(
    built: Built,
    transports: Mapping[str, Transport],
    guards: Guards,
    identities: Identities,
    around: Around,
    sink: Sink,
) -> Checker:
    """Checks over the transports of calls, that count as no calls; told of each attempt."""
    clock = around.clock
    attempt = attempts(transports, clock, identities.span_id, _uncounted)
    asking = Asking(
        attempt,
        clock,
        identities.call_id,
        identities.trace_id,
        built.upstreams,
        built.credentials,
        "(check)",
    )
    checking = Checking(transports, asking.ask, clock)
    made = Checker(
        built.upstreams.values(), built.routes, checking.check, guards.checks, clock,
        around.emit, around.bug,
    )  # fmt: skip
    sink.proofs = made.attempt
    return made


def _uncounted(_: Event) -> None:
    """Attempts of checks are not calls': the checker counts what they came to."""

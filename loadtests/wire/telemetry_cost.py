"""`python -m loadtests.wire.telemetry_cost`: CPU time of telemetry for one call, part by part.

Process time of a single thread, the least of several rounds: a busy machine
makes a round slower and never faster.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from proxy.inbound.translate import Identities
from proxy.model.clock import SystemClock
from proxy.model.events import AttemptEnded
from proxy.model.telemetry import Keeping
from proxy.telemetry.keep import Keeper
from proxy.telemetry.log import CallLog
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.record import taken
from proxy.telemetry.spans import Spans
from tests.unit.telemetry.traced import done, ended

ROUNDS = 7
BUDGET_US = 8.0
"""For all telemetry at defaults, of one call."""


def least_us(work: Callable[[], object], times: int) -> float:
    """Microseconds of CPU for one of `times`, in the best round."""
    rounds = []
    for _ in range(ROUNDS):
        began_at = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - began_at) / times * 1e6)
    return min(rounds)


def parts(times: int) -> dict[str, float]:
    """Each part's cost."""
    clock, event = SystemClock(), ended(done())
    attempt = AttemptEnded(event.call, event.call.attempts[0])
    metrics, keeper, log = Metrics(), Keeper(Keeping(), 0.0), CallLog(clock)
    identities, trace_id = Identities(sample_ratio=0.01), event.call.trace_id
    spans = Spans(Resource({}), InstrumentationScope("tidegate"))

    def record() -> object:
        return taken(event.call, event.outcome, event.ended_at, "sampled", b"5" * 16, None)

    kept = taken(event.call, event.outcome, event.ended_at, "sampled", b"5" * 16, None)
    return {
        "counted as a call": least_us(lambda: metrics.call(event), times),
        "counted as an attempt": least_us(lambda: metrics.attempt(attempt), times),
        "looked at for tracing": least_us(lambda: keeper.why(event), times),
        "flags of a new trace": least_us(lambda: identities.flags(trace_id), times),
        "log line": least_us(lambda: log.call(event), times),
        "record, of a traced call": least_us(record, times // 10),
        "spans, of a traced call": least_us(
            lambda: encode_spans(spans.of(kept, 1e9)).SerializeToString(), times // 50
        ),
    }


def at_defaults_us(found: dict[str, float]) -> float:
    """Of one call, with one in a hundred traced."""
    return sum(us * (0.01 if "traced" in name else 1.0) for name, us in found.items())


def main(times: int = 50_000) -> int:
    """Print the parts; 1 if the sum is over the budget."""
    found = parts(times)
    for name, us in found.items():
        print(f"{name:28}{us:8.2f} us")
    total_us = at_defaults_us(found)
    print(f"{'in all, 1 % traced':28}{total_us:8.2f} us, budget {BUDGET_US:g}")
    return int(total_us > BUDGET_US)


if __name__ == "__main__":
    raise SystemExit(main())

"""`python -m loadtests.incidents.sleeper run ...`: the sidecar, which stops itself at one instant.

Between the fence that has become durable and the attempt it sends itself a
SIGSTOP. From outside that instant is a few microseconds wide and cannot be hit;
everything else is the product as it is.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from proxy.__main__ import main
from proxy.idempotency import fence as fencing
from proxy.idempotency import shared
from proxy.idempotency.journal import Journal
from proxy.model.call import Call
from proxy.model.outcome import Outcome
from proxy.model.route import Candidate
from proxy.pipeline.layer import AttemptHandler, AttemptLayer


def sleepy(journal: Journal, now: Callable[[], float]) -> AttemptLayer:
    """The fence, and below it the stop."""
    fence = fencing.fence(journal, now)

    def layer(inner: AttemptHandler) -> AttemptHandler:
        async def stopped(call: Call, candidate: Candidate) -> Outcome:
            os.kill(os.getpid(), signal.SIGSTOP)
            return await inner(call, candidate)

        return fence(stopped)

    return layer


if __name__ == "__main__":
    setattr(shared, "fence", sleepy)  # noqa: B010 - it is not ours to set
    main()

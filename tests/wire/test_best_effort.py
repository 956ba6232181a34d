"""A third party that matters little, beside payments, at the real process."""

from __future__ import annotations

import time
from typing import Any

from tests.support import config
from tests.support.client import Client, Reply
from tests.support.origin import Origin
from tests.support.peer import Peer
from tests.support.sidecar import Sidecar
from tests.wire.conftest import Start

BUDGET_S = 0.05
SLACK_S = 2.0
"""The machine is shared: far more than a reply takes, far less than the partner would."""


def hangs(peer: Peer) -> None:
    """Takes a request and never answers it."""
    peer.read_request()
    peer.wait_closed(30.0)


def settings(payments: int, tracker: int, **effort: Any) -> config.Document:
    """Payments at one partner, and best effort at another."""
    upstreams = {
        "payments": config.upstream(payments),
        "tracker": config.upstream(tracker, pool={"linger": "100ms"}),
    }
    track = config.route("/track/", ["tracker"], operation="authenticate", best_effort=effort)
    return config.document(upstreams, [config.route("/psp/", ["payments"]), track])


def ask(sidecar: Sidecar, path: str) -> Reply:
    """One call on a connection of its own."""
    with Client(sidecar.payments) as client:
        return client.call("POST", path, b"{}")


def test_a_hung_third_party_costs_its_budget_and_payments_go_on(start: Start) -> None:
    """More of them than it has places; each gets its reply, and the payment its answer."""
    with Origin() as payments, Origin(hangs) as tracker:
        sidecar = start(settings(payments.port, tracker.port, at_work_max=2))
        for _ in range(5):
            begun_at = time.monotonic()
            reply = ask(sidecar, "/track/x")
            assert BUDGET_S <= time.monotonic() - begun_at < BUDGET_S + SLACK_S
            assert (reply.status, reply.outcome, reply.body) == (204, "substituted", b"")
            assert reply.header("tidegate-reason") == "deadline"
        assert (ask(sidecar, "/psp/x").status, len(payments.received)) == (200, 1)
        sidecar.kill()


def test_what_nobody_waits_for_is_sent_and_ends_with_the_drain(start: Start) -> None:
    """SIGTERM right after the reply: the partner still gets the call."""
    with Origin() as payments, Origin() as tracker:
        sidecar = start(settings(payments.port, tracker.port, wait=False))
        reply = ask(sidecar, "/track/x")
        assert (reply.status, reply.outcome) == (204, "substituted")
        assert sidecar.stop() == 0
        [received] = tracker.wait_received(1)
        assert received.target == "/track/x"


def test_a_third_party_that_refuses_connections_has_its_reply(start: Start) -> None:
    """With the reason, and without waiting for the budget's end."""
    with Origin() as payments:
        with Origin() as gone:
            port = gone.port
        later = {"status": 200, "body": "later"}
        sidecar = start(settings(payments.port, port, budget="5s", reply=later))
        reply = ask(sidecar, "/track/x")
        assert (reply.status, reply.body) == (200, b"later")
        assert (reply.execution, reply.header("tidegate-reason")) == ("none", "refused")

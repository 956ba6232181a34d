"""`proxy.settings.build_bulkhead`: bounds, priorities and best effort as the stack reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.model.breaker import BREAKER, BreakerLimits, BreakerMode
from proxy.model.bulkhead import BulkheadLimits, Priority
from proxy.model.message import header
from proxy.model.setup import Built
from proxy.settings.build import build
from tests.unit.settings.example import BASE, changed, load_text

POOL = "pool: {connections_max: 32}"
REST = "    match: {path: /}\n"
TRACK = changed((REST, "    match: {path: /, methods: [GET]}\n    best_effort: {}\n"))


def built(folder: Path, text: str) -> Built:
    """What a text means."""
    return build(load_text(folder, text).settings)


@pytest.mark.parametrize(
    ("written", "limits"),
    [
        (POOL, BulkheadLimits(100, 100, adaptive=False)),
        ("bulkhead: {at_work_max: 7}", BulkheadLimits(7, 7)),
        ("bulkhead: {waiting_max: 0, adaptive: true}", BulkheadLimits(100, 0, adaptive=True)),
    ],
)
def test_as_many_may_wait_as_may_work(tmp_path: Path, written: str, limits: BulkheadLimits) -> None:
    """Unless another number is given."""
    upstreams = built(tmp_path, changed((POOL, written))).upstreams
    assert upstreams["north-a"].bulkhead == limits
    assert upstreams["north-b"].bulkhead == BulkheadLimits(100, 100)


@pytest.mark.parametrize(
    ("written", "limits"),
    [
        (POOL, BREAKER),
        ("breaker: {mode: off}", BreakerLimits(BreakerMode.OFF)),
        ("breaker: {mode: shadow}", BreakerLimits(BreakerMode.SHADOW)),
        (
            "breaker: {unreachable_max: 3, open_share: 0.3, open: 2m, slow_max: 3s}",
            BreakerLimits(BreakerMode.ON, 3, 0.3, 120.0, 120.0, 3.0),
        ),
    ],
)
def test_a_breaker_is_on_unless_the_file_says_otherwise(
    tmp_path: Path, written: str, limits: BreakerLimits
) -> None:
    """And its open time never ends below where it begins."""
    upstreams = built(tmp_path, changed((POOL, written))).upstreams
    assert upstreams["north-a"].breaker == limits
    assert upstreams["north-b"].breaker == BREAKER


@pytest.mark.parametrize(
    ("operation", "priority"),
    [
        ("authorize", Priority.PAYMENT),
        ("capture", Priority.PAYMENT),
        ("authenticate", Priority.AUTHENTICATION),
        ("refund", Priority.BACK_OFFICE),
        ("void", Priority.BACK_OFFICE),
        ("inquire", Priority.BACK_OFFICE),
        ("other", Priority.BACK_OFFICE),
    ],
)
def test_an_operation_has_its_priority(tmp_path: Path, operation: str, priority: Priority) -> None:
    """A route may say otherwise."""
    text = changed(("operation: authorize", f"operation: {operation}"))
    assert built(tmp_path, text).routes[0].priority is priority
    own = text.replace("candidates: [north", "priority: authentication\n    candidates: [north")
    assert built(tmp_path, own).routes[0].priority is Priority.AUTHENTICATION


def test_best_effort_is_last_and_has_its_budget_for_a_deadline(tmp_path: Path) -> None:
    """50 ms and an empty 204, unless the file says otherwise."""
    route = built(tmp_path, TRACK).routes[1]
    assert route.best_effort is not None
    assert (route.deadline_s, route.priority) == (0.05, Priority.BEST_EFFORT)
    assert (route.best_effort.wait, route.best_effort.at_work_max) == (True, 100)
    reply = route.best_effort.reply
    assert (reply.status, reply.headers, reply.body) == (204, [], b"")
    assert route.compartment == "best_effort/rest"


def test_the_reply_is_ready_to_be_written(tmp_path: Path) -> None:
    """Status, headers and body."""
    reply = '{status: 202, headers: {X-A: b}, body: "queued"}'
    text = TRACK.replace("best_effort: {}", f"best_effort: {{reply: {reply}, budget: 20ms}}")
    route = built(tmp_path, text).routes[1]
    assert route.best_effort is not None
    made = route.best_effort.reply
    assert (made.status, made.headers, made.body) == (202, [header(b"X-A", b"b")], b"queued")
    assert route.deadline_s == 0.02


def test_what_is_sent_behind_its_reply_has_the_routes_deadline(tmp_path: Path) -> None:
    """Nobody waits for it."""
    text = TRACK.replace("best_effort: {}", "best_effort: {wait: false}\n    deadline: 3s")
    route = built(tmp_path, text).routes[1]
    assert route.deadline_s == 3.0
    assert route.best_effort is not None
    assert not route.best_effort.wait


def test_best_effort_never_touches_the_journal(tmp_path: Path) -> None:
    """Not even where a journal gives every other route optional keys."""
    journal = "journal: {path: j.db}\n"
    assert built(tmp_path, BASE + journal).routes[1].idempotency is not None
    assert built(tmp_path, TRACK + journal).routes[1].idempotency is None

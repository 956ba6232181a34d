"""Schedule, history, figures, and the checker, which must not be fooled."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace

import pytest

from loadtests.incidents import figures
from loadtests.incidents.checker import Execution, by_nonce, check
from loadtests.incidents.history import CallRecord, Ending, History, merged
from loadtests.incidents.schedule import Load, plan
from loadtests.incidents.stats import median, percentile, share_of

LOAD = Load(rate_per_s=50, duration_s=4, seed=7, prefix="p", schemes={"visa": 0.4, "amex": 0.6})


def record(name: str, **members: object) -> CallRecord:
    """A call that succeeded in 60 ms, of which 50 ms were the partner's; `members` differ."""
    call = CallRecord(
        reference=name,
        nonce=f"arm.{name}",
        scheme="visa",
        amount=1200,
        scheduled_at=10.0,
        taken_at=10.0,
        started_at=10.001,
        ended_at=10.06,
        status=200,
        outcome="answered",
        execution="done",
        upstream="primary",
        attempts=1,
        echoed_nonce=f"arm.{name}",
        partner_time_s=0.05,
        sent=True,
    )
    return replace(call, **members)  # type: ignore[arg-type]


def row(name: str, partner: str = "primary", operation: str = "authorize") -> Execution:
    """The ledger row of the payment `name`."""
    return Execution(partner, operation, name, f"arm.{name}", 1200)


def test_arms_of_a_comparison_get_the_same_payments_at_the_same_instants() -> None:
    """A difference between two arms may come from the sidecar only: just the nonces differ."""
    healthy, faulty = plan(LOAD, "healthy"), plan(LOAD, "faulty")
    assert [(c.offset_s, c.reference, c.scheme, c.amount, c.body) for c in healthy] == [
        (c.offset_s, c.reference, c.scheme, c.amount, c.body) for c in faulty
    ]
    assert not {c.nonce for c in healthy} & {c.nonce for c in faulty}


def test_a_schedule_is_evenly_spaced_unique_and_weighted() -> None:
    """200 calls at 50/s leave 20 ms apart, each its own payment, with schemes by weight."""
    calls = plan(LOAD, "a")
    assert [c.offset_s for c in calls] == pytest.approx([i / 50 for i in range(200)])
    assert len({c.reference for c in calls}) == len({c.nonce for c in calls}) == 200
    assert 55 <= Counter(c.scheme for c in calls)["visa"] <= 105


def test_another_seed_or_prefix_is_another_schedule() -> None:
    """Chance comes from seed and prefix alone."""
    amounts = [c.amount for c in plan(LOAD, "a")]
    assert amounts == [c.amount for c in plan(LOAD, "a")]
    assert amounts != [c.amount for c in plan(replace(LOAD, seed=8), "a")]
    assert amounts != [c.amount for c in plan(replace(LOAD, prefix="q"), "a")]


def test_bodies_name_the_payment_for_every_kind_of_partner() -> None:
    """Processors read `reference`, acquirers `merchantReference`; no amount asks for a decline."""
    for call in plan(LOAD, "a"):
        body = json.loads(call.body)
        assert body["reference"] == body["merchantReference"] == call.reference
        assert body["card"] == {"scheme": call.scheme}
        assert body["amount"] == call.amount
        assert call.amount % 100 == 0


@pytest.mark.parametrize(
    ("members", "ending"),
    [
        ({}, Ending.OK),
        ({"status": 402}, Ending.FAIL),
        ({"status": 502, "outcome": "unsent", "execution": "none"}, Ending.FAIL),
        ({"status": 504, "outcome": "in_doubt", "execution": "unknown"}, Ending.INFO),
        ({"status": 200, "execution": ""}, Ending.INFO),
        ({"status": 0, "error": "reset"}, Ending.INFO),
        ({"status": 0, "error": "ConnectionRefusedError", "sent": False}, Ending.FAIL),
    ],
)
def test_how_a_call_ended(members: dict[str, object], ending: Ending) -> None:
    """Only a labelled success is ok; what was sent and not concluded stays open."""
    assert record("a", **members).ending is ending


def test_latency_counts_from_the_scheduled_instant() -> None:
    """A call that had to wait before it could begin shows the wait."""
    late = record("a", taken_at=10.1, started_at=10.5, ended_at=10.56)
    assert late.latency_s == pytest.approx(0.56)


def test_our_share_is_neither_the_partners_time_nor_the_drivers_lag() -> None:
    """From the driver's turn on everything but the partner's own time counts, waits included."""
    late = record("a", taken_at=10.1, started_at=10.5, ended_at=10.56)
    assert late.own_share_s == pytest.approx(0.41)
    assert figures.driver_lag_ms(History([late])) == pytest.approx(100.0)


def test_calls_in_flight_at_an_instant_known_only_as_an_interval() -> None:
    """Whoever began before its end and had not ended at its start may have met the fault."""
    history = History(
        [
            record("ended before", ended_at=10.9),
            record("across", ended_at=12.0),
            record("ended inside", ended_at=11.005),
            record("began inside", started_at=11.005, ended_at=12.0),
            record("began after", started_at=11.2, ended_at=12.0),
            record("never began", started_at=math.nan, ended_at=12.0),
            record("never ended", ended_at=math.nan),
        ]
    )
    assert history.in_flight(11.0, 11.01) == 4


def test_events_come_in_order_of_time() -> None:
    """Invocations and ends make one line of time; a call that never left has only its end."""
    history = History(
        [
            record("a", ended_at=10.3),
            record("b", started_at=10.2, ended_at=10.25),
            record("c", started_at=math.nan, ended_at=10.4, status=0, error="refused", sent=False),
        ]
    )
    assert [(e["event"], e["reference"]) for e in history.events()] == [
        ("invoke", "a"),
        ("invoke", "b"),
        ("ok", "b"),
        ("ok", "a"),
        ("fail", "c"),
    ]


def test_an_honest_run_is_clean() -> None:
    """Done and in the ledger, unsent and not in it, in doubt either way: nothing to find."""
    history = History(
        [
            record("done"),
            record("unsent", status=502, outcome="unsent", execution="none", echoed_nonce=""),
            record("doubt 1", status=504, outcome="in_doubt", execution="unknown", echoed_nonce=""),
            record("doubt 2", status=504, outcome="in_doubt", execution="unknown", echoed_nonce=""),
        ]
    )
    found = check(history, [row("done"), row("doubt 1")])
    assert found.clean
    assert (found.calls, found.executions) == (4, 2)


@pytest.mark.parametrize(
    ("member", "records", "rows"),
    [
        ("dup", [record("a")], [row("a", "primary"), row("a", "standby")]),
        ("dup", [record("a")], [row("a"), row("a")]),
        ("mixed", [record("a", echoed_nonce="arm.b")], [row("a")]),
        ("mixed", [record("a", echoed_nonce="")], [row("a")]),
        ("mixed", [record("a", error="stray_bytes")], [row("a")]),
        (
            "lied_none",
            [record("a", status=502, outcome="unsent", execution="none", echoed_nonce="")],
            [row("a")],
        ),
        (
            "lost",
            [record("a", status=502, outcome="unsent", execution="none", echoed_nonce="")],
            [row("a")],
        ),
        ("lost", [record("a", status=0, outcome="", error="reset", echoed_nonce="")], [row("a")]),
        ("lied_done", [record("a")], []),
        ("stray", [], [row("a")]),
    ],
)
def test_each_wrong_is_found(member: str, records: list[CallRecord], rows: list[Execution]) -> None:
    """A checker that misses a planted wrong proves nothing about a run without one."""
    found = check(History(records), rows)
    assert getattr(found, member) == 1
    assert not found.clean


def test_three_executions_of_one_payment_are_two_too_many() -> None:
    """Every execution beyond one counts, over all partners together."""
    rows = [row("a"), row("a", "standby"), row("a", "third"), row("b")]
    assert check(History([record("a"), record("b")]), rows).dup == 2


def test_a_capture_of_an_authorised_payment_is_no_duplicate() -> None:
    """A payment is executed once per operation."""
    rows = [row("a"), row("a", operation="capture")]
    assert check(History([record("a")]), rows).dup == 0


def test_arms_with_the_same_references_are_told_apart_by_nonce() -> None:
    """The same reference in two arms is two payments; the same nonce twice is one too many."""
    arms = merged([History([record("a")]), History([record("a", nonce="b.a", echoed_nonce="b.a")])])
    rows = [row("a"), replace(row("a"), nonce="b.a")]
    assert check(arms, rows).dup == 1
    assert check(arms, rows, by_nonce).clean
    assert check(arms, [*rows, rows[1]], by_nonce).dup == 1


def test_percentiles_are_values_that_were_measured() -> None:
    """Nearest rank: no interpolation; nothing measured is not a number."""
    samples = [float(n) for n in range(1, 101)]
    assert (percentile(samples, 0.5), percentile(samples, 0.99), percentile(samples, 1)) == (
        50.0,
        99.0,
        100.0,
    )
    assert median([3.0, 1.0, 2.0]) == 2.0
    assert math.isnan(percentile([], 0.99))
    assert math.isnan(share_of(0, 0))
    with pytest.raises(ValueError, match="share"):
        percentile(samples, 99)


def test_figures_of_a_history() -> None:
    """Goodput counts successes over the schedule's time; reasons count what did not succeed."""
    history = History(
        [
            record("a"),
            record("b", scheduled_at=11.0, taken_at=11.0, ended_at=11.06),
            record("c", scheduled_at=12.0, status=0, error="reset", execution=""),
            record("d", scheduled_at=12.0, status=504, reason="deadline", execution="unknown"),
        ]
    )
    assert figures.goodput_per_s(history) == 1.0
    assert figures.reasons(history) == "reset 1, deadline 1"
    assert figures.own_share_ms(history, 1.0) == pytest.approx(10.0)
    assert history.count(figures.in_doubt) == 2

"""`proxy.health.slices`: what is noted where, how much it did to calls, and that it is bounded."""

from __future__ import annotations

import tracemalloc

from proxy.health.slices import SLICES_MAX, totals
from proxy.health.symptom import Kind
from proxy.model.events import AttemptEnded, BreakerChanged, CallEnded
from proxy.model.outcome import Origin, Refused
from proxy.model.phase import Phase
from tests.support.healthy import Watched, in_doubt, ok, unsent
from tests.support.values import candidate, route


def test_an_attempt_is_noted_broadly_and_for_its_value() -> None:
    """Failures in both, calls of other values in the broad one alone."""
    watched = Watched("a")
    watched.end("a", ok(watched.at["a"], 500), "visa")
    watched.good("a", value="amex")
    now, slices = watched.clock.now(), watched.health.slices.all
    assert totals(slices["a", "authorize", None], now) == {"calls": 2, "failed": 1, "slow": 0}
    visa = slices["a", "authorize", ("scheme", "visa")]
    assert totals(visa, now) == {"calls": 1, "failed": 1, "slow": 0}


def test_slices_are_bounded_and_what_comes_beyond_is_noted_broadly() -> None:
    """Whatever values an application thinks of; a thousand slices are small."""
    watched = Watched("a")
    tracemalloc.start()
    for number in range(SLICES_MAX + 500):
        watched.end("a", ok(watched.at["a"], 500), f"value-{number}")
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(watched.health.slices.all) == SLICES_MAX
    assert used < 20_000_000 * SLICES_MAX / 1000
    broad = watched.health.slices.all["a", "authorize", None]
    assert totals(broad, watched.clock.now())["calls"] == SLICES_MAX + 500


def test_impact_tells_calls_that_failed_are_in_doubt_or_moved() -> None:
    """And how many of them move money."""
    watched = Watched("a", "b")
    watched.end("a", unsent(watched.at["a"], Phase.CONNECT, "refused"), "visa")
    watched.end("a", in_doubt(watched.at["a"]), "visa")
    made = watched.end("a", ok(watched.at["b"]), "visa")
    made.attempts[0].candidate = watched.at["a"]
    slice_ = watched.health.slices.all["a", "authorize", None]
    assert slice_.impact == [1, 1, 1, 1, 1, 1]
    assert slice_.moved_to == {"b": 1}


def test_calls_that_a_breaker_turned_away_count_as_moved() -> None:
    """Without any attempt at the first candidate."""
    watched = Watched("a", "b")
    watched.good("a")
    opened = BreakerChanged("a", "a", "authorize", "closed", "open", "", 1, 1, False, None)
    watched.health.event(opened)
    both = route(watched.at["a"], watched.at["b"], name="both")
    made = watched.end("b", ok(watched.at["b"]))
    made.route, made.candidates = both, both.candidates
    watched.health.event(CallEnded(made, ok(watched.at["b"]), watched.clock.now()))
    assert watched.health.slices.all["a", "authorize", None].moved_to == {"b": 1}


def test_a_refusal_of_our_own_bulkhead_is_a_full_queue() -> None:
    """Known before there is an attempt."""
    watched = Watched("a")
    made = watched.end("a", ok(watched.at["a"]))
    refused = Refused("bulkhead_full", 503, "Full.", Origin.PROXY, partner="a", upstream="a")
    watched.health.event(CallEnded(made, refused, watched.clock.now()))
    assert ("queue", Kind.FAILED) in watched.health.slices.all["a", "authorize", None].troubles


def test_an_attempt_without_a_route_or_an_ending_is_not_noted() -> None:
    """A call that was never routed."""
    watched = Watched("a")
    made = watched.end("a", ok(watched.at["a"]))
    watched.health.slices.all.clear()
    made.route = None
    watched.health.event(AttemptEnded(made, made.attempts[0]))
    watched.health.event(CallEnded(made, ok(watched.at["a"]), 0.0))
    assert watched.health.slices.all == {}


def test_only_money_counts_as_a_payment() -> None:
    """A GET of an operation whose money is told by the method."""
    watched = Watched("a")
    at = candidate("a", "a")
    made = watched.end("a", unsent(at, Phase.CONNECT, "refused"))
    made.candidates = ()
    watched.health.event(CallEnded(made, unsent(at, Phase.CONNECT, "refused"), watched.clock.now()))
    assert watched.health.slices.all["a", "authorize", None].impact == [2, 0, 0, 1, 0, 0]


def test_a_breaker_of_one_value_is_that_values_alone() -> None:
    """Others of the same operation do not move, and are not held."""
    watched = Watched("a", "b")
    for value in ("visa", "amex"):
        watched.good("a", value=value)
    opened = BreakerChanged(
        "a", "a", "authorize", "closed", "open", "", 1, 1, False, None, "scheme=visa"
    )
    watched.health.event(opened)
    both = route(watched.at["a"], watched.at["b"], name="both", dimensions=("scheme",))
    for value in ("visa", "amex"):
        made = watched.end("b", ok(watched.at["b"]), value)
        made.route, made.candidates = both, both.candidates
        watched.health.event(CallEnded(made, ok(watched.at["b"]), watched.clock.now()))
    slices = watched.health.slices.all
    assert slices["a", "authorize", ("scheme", "visa")].moved_to == {"b": 1}
    assert slices["a", "authorize", ("scheme", "amex")].moved_to == {}
    assert not slices["a", "authorize", None].is_held

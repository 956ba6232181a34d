"""`proxy.health.health`: notices beside calls, healthy days without a word, little work."""

from __future__ import annotations

import random

import pytest

from proxy.health.health import Notice
from proxy.model.health import HealthLimits
from proxy.model.phase import Phase
from proxy.model.unsettled import Unsettled
from tests.support.healthy import Watched, ok, unsent


def test_a_name_in_trouble_is_dns_although_no_call_fails() -> None:
    """Calls go on with the addresses that are known."""
    watched = Watched("a", "b")
    watched.seconds(5, good=("a", "b"))
    watched.health.names([("a", "a", "timeout", watched.clock.now())])
    watched.seconds(2, good=("a", "b"))
    assert watched.named == [(("a",), "a", "resolve", "dns")]
    watched.health.names([])
    watched.second()
    assert watched.named == []


def test_payments_in_doubt_for_too_long_are_named_with_their_number() -> None:
    """At the partner where they are."""
    watched = Watched("a")
    old = Unsettled("in_doubt", "a", "a", "authorize", 9, watched.clock.wall() - 600.0, 3)
    young = Unsettled("in_doubt", "a", "a", "refund", 1, watched.clock.wall(), 0)
    watched.health.in_doubt([old, young])
    watched.second()
    assert watched.named == [(("a",), "a · authorize", "settle", "partner")]
    assert "3 of them" in watched.reports.verdicts()["verdicts"][0]["sentence"]


def test_a_notice_of_another_room_is_told_as_it_is() -> None:
    """Such as a standby that nobody has proven."""
    watched = Watched("a")
    notice = Notice("a", "a", "standby", "standby_not_proven", "partner", 900.0, "for 2 min")
    watched.health.notices("probes", [notice])
    watched.second()
    assert watched.named == [(("a",), "a", "standby", "partner")]


def test_a_route_that_falls_silent_is_named_and_ends_with_the_next_call() -> None:
    """A route of its own, beside others that are busy."""
    limits = HealthLimits(silence_period_s=100.0, silence_calls_min=20)
    watched = Watched("a", "b", limits=limits)
    watched.seconds(400, good=("a", "b"))
    watched.seconds(60, good=("b",))
    assert watched.named == [(("application",), "route a", "arrival", "application")]
    watched.seconds(1, good=("a", "b"))
    assert watched.named == []


def test_calls_went_elsewhere_lately_is_part_of_the_verdict() -> None:
    """And of the sentence."""
    watched = Watched("a", "b")
    watched.seconds(10, good=("a", "b"))
    for _ in range(8):
        watched.end("a", unsent(watched.at["a"], Phase.CONNECT, "refused"))
        made = watched.end("b", ok(watched.at["b"]))
        made.attempts[0].candidate = watched.at["a"]
        watched.health.slices._moved(made, watched.routes["a"], "b")
        watched.second()
    assert watched.health.verdicts[0].instead == ("b",)


@pytest.mark.no_cover  # volume
@pytest.mark.parametrize("seed", [1, 2])
def test_healthy_hours_have_no_verdict(seed: int) -> None:
    """Half a percent of technical failures, an eighth declined, blips of up to two seconds."""
    rng, watched = random.Random(seed), Watched("a", "b")
    blip_left = 0
    for second in range(2 * 3600):
        blip_left = 2 if rng.random() < 1 / 1800 else max(0, blip_left - 1)
        for name in ("a", "b"):
            for _ in range(2):
                _healthy(watched, name, rng, blip=bool(blip_left) and name == "a")
        watched.second()
        assert watched.events == [], second


def _healthy(watched: Watched, name: str, rng: random.Random, *, blip: bool) -> None:
    at, value = watched.at[name], rng.choice(("visa", "amex"))
    if blip or rng.random() < 0.005:
        watched.end(name, unsent(at, Phase.CONNECT, "timeout"), value)
    else:
        watched.end(name, ok(at, 402 if rng.random() < 0.12 else 200), value)

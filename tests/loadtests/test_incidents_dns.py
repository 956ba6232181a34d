"""What INC-03 promises: held by an honest story, missed by each planted wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from loadtests.incidents.checker import Execution
from loadtests.incidents.dns_promises import Refusal, bars, moved_bar
from loadtests.incidents.dns_story import Story, seen_after_s
from loadtests.incidents.dns_zone import TTL_S, host
from loadtests.incidents.history import History
from tests.loadtests.dns_stories import (
    BROKEN_AT,
    HEALED_AT,
    HEALTHY_AT,
    MOVED_AT,
    extras,
    failed,
    missed,
    questions,
    story,
)


def test_an_honest_story_holds_every_bar() -> None:
    """The bars can be met."""
    assert missed(bars(story(), extras(), quick=False)) == []


def _slower(told: Story) -> None:
    told.history.records = [
        replace(r, ended_at=r.ended_at + 0.006) if BROKEN_AT <= r.scheduled_at < HEALED_AT else r
        for r in told.history.records
    ]


def _unasked(told: Story) -> None:
    told.queries = [
        q for q in told.queries if not (q.name == host("nxdomain") and q.at >= BROKEN_AT)
    ]


def _asked_per_call(told: Story) -> None:
    told.queries += questions("A", HEALTHY_AT, BROKEN_AT, 0.1)


def _aaaa_asked_twice(told: Story) -> None:
    told.queries += questions("AAAA", HEALTHY_AT + 0.1, BROKEN_AT)


def _never_asked(told: Story) -> None:
    told.queries = [q for q in told.queries if q.at >= BROKEN_AT]


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        (
            lambda told: told.history.records.append(failed(140.0)),
            ["tidegate: failed calls to known names"],
        ),
        (
            lambda told: told.moving.records.append(failed(201.0)),
            ["tidegate: failed calls to known names"],
        ),
        (_slower, ["all: growth of our share p99"]),
        (_unasked, ["tidegate: faults met by a question"]),
        (_asked_per_call, ["healthy: A questions per TTL"]),
        (_aaaa_asked_twice, ["healthy: AAAA questions per TTL"]),
        (_never_asked, ["healthy: A questions per TTL"]),
        (lambda told: setattr(told, "fresh_after_s", 35.1), ["tidegate: fresh again after"]),
        (lambda told: setattr(told, "fresh_after_s", math.nan), ["tidegate: fresh again after"]),
    ],
)
def test_each_wrong_in_the_story_misses_its_bar(
    wrong: Callable[[Story], None], names: list[str]
) -> None:
    """One wrong, one bar: none of them holds whatever happens."""
    told = story()
    wrong(told)
    assert missed(bars(told, extras(), quick=False)) == names


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"cold": History([failed(400.0)])}, ["cold start in silence: failed calls"]),
        ({"cold": History()}, ["cold start in silence: failed calls"]),
        ({"verdicts": {}}, ["tidegate: verdicts with origin dns"]),
        ({"verdicts": {"slow timeout": 99.0}}, ["tidegate: verdicts with origin dns"]),
        ({"unknown": []}, ["unknown name: slowest failure"] * 1),
        (
            {"unheard": [Refusal(1.1, 502, "timeout", "dns")]},
            ["unknown name in silence: slowest failure"],
        ),
        (
            {"unknown": [Refusal(0.1, 502, "no_such_name", "partner")]},
            ["unknown name: told the reason and origin dns"],
        ),
        (
            {"unheard": [Refusal(0.1, 200, "", "")]},
            ["unknown name in silence: told the reason and origin dns"],
        ),
        ({"trapped": 1}, ["tidegate: connections to a forbidden address"]),
        ({"forbidden": []}, ["forbidden address: told the reason and origin dns"]),
        ({"high_queries": []}, ["at 1000 calls/s: A questions per TTL"]),
    ],
)
def test_each_wrong_besides_misses_its_bar(wrong: dict[str, object], names: list[str]) -> None:
    """What was never tried is missed too."""
    found = missed(bars(story(), replace(extras(), **wrong), quick=False))  # type: ignore[arg-type]
    assert set(names) <= set(found)
    assert len(found) <= 2


def test_only_the_quick_form_allows_for_the_noise_of_healthy_parts() -> None:
    """A healthy part that was slower by 3 ms widens the quick form's bar by as much, no more."""
    told = story()
    _slower(told)
    told.history.records = [
        replace(r, ended_at=r.ended_at + 0.003) if r.scheduled_at < HEALTHY_AT + 10 else r
        for r in told.history.records
    ]
    assert missed(bars(told, extras(), quick=False)) == ["all: growth of our share p99"]
    assert missed(bars(told, extras(), quick=True)) == []
    _slower(told)
    assert missed(bars(told, extras(), quick=True)) == ["all: growth of our share p99"]


def test_a_move_is_followed_when_the_last_call_left_the_old_place() -> None:
    """The figure is the last call at the old address; without one at the new there is none."""
    told = story()
    rows = [
        Execution("old" if r.scheduled_at < MOVED_AT + 6 else "new", "a", r.reference, r.nonce, 1)
        for r in told.moving.records
    ]
    assert seen_after_s(told, rows, "new") == pytest.approx(5.9)
    assert moved_bar(seen_after_s(told, rows, "new")).held
    stuck = [replace(row, partner="old") for row in rows]
    assert not moved_bar(seen_after_s(told, stuck, "new")).held
    assert not moved_bar(TTL_S + 5.1).held

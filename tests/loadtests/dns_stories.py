"""An honest story of INC-03, for tests that plant a wrong in it."""

from __future__ import annotations

import math

from loadtests.incidents.dns_promises import Extras, Refusal
from loadtests.incidents.dns_story import Phase, Story
from loadtests.incidents.dns_zone import FAULTS, host
from loadtests.incidents.history import CallRecord, History
from loadtests.incidents.result import Bar
from tests.loadtests.records import succeeded
from tests.support.dns_answers import Query

HEALTHY_AT, BROKEN_AT, HEALED_AT, MOVED_AT, END = 100.0, 130.0, 160.0, 200.0, 215.0
LABELS_ALL = tuple(FAULTS)


def call(at: float, seconds: float = 0.05, **members: object) -> CallRecord:
    """A call that succeeded in `seconds`, of which 1 ms was not the partner's; `members` differ."""
    served = {"partner_time_s": seconds - 0.001, **members}
    return succeeded(at, seconds, "slow", **served)


def failed(at: float) -> CallRecord:
    """A call for which there was no address."""
    return call(at, status=502, outcome="unsent", execution="none", reason="timeout")


def calls(start: float, end: float) -> list[CallRecord]:
    """Ten calls a second."""
    return [call(start + number / 10) for number in range(round(10 * (end - start)))]


def questions(kind: str, start: float, end: float, every_s: float = 4.2) -> list[Query]:
    """A steady refresh of each name."""
    return [
        Query(host(label), kind, "udp", start + number * every_s, host(label))
        for label in LABELS_ALL
        for number in range(math.ceil((end - start) / every_s))
    ]


def story() -> Story:
    """Thirty healthy seconds, thirty of all faults at once, then healing and a move."""
    return Story(
        warming=History(calls(90.0, 93.0)),
        history=History(calls(HEALTHY_AT, HEALED_AT + 4)),
        phases=[
            Phase("healthy", HEALTHY_AT, BROKEN_AT),
            Phase("all", BROKEN_AT, HEALED_AT, {label: label for label in FAULTS}),
        ],
        queries=[
            *questions("A", HEALTHY_AT, HEALED_AT),
            *questions("AAAA", HEALTHY_AT, HEALED_AT),
        ],
        healed_at=HEALED_AT,
        moving=History(calls(MOVED_AT - 2, END)),
        moved_at=MOVED_AT,
        fresh_after_s=12.0,
    )


def extras() -> Extras:
    """What an honest sidecar shows besides."""
    told = Refusal(0.2, 502, "no_such_name", "dns")
    return Extras(
        verdicts={"slow timeout": BROKEN_AT + 3},
        unknown=[told],
        unheard=[told],
        forbidden=[told],
        high=History(calls(300.0, 320.0)),
        high_rate_per_s=1000.0,
        high_queries=[*questions("A", 300.0, 320.0), *questions("AAAA", 300.0, 320.0)],
        high_at=(300.0, 320.0),
        cold=History(calls(400.0, 401.0)),
    )


def missed(found: list[Bar]) -> list[str]:
    """The bars that did not hold, with their parts."""
    return [f"{bar.variant}: {bar.name}" for bar in found if not bar.held]

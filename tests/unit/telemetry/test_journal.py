"""`proxy.telemetry.journal`: what a journal blocked, how fast it is, and what has no end."""

from __future__ import annotations

import pytest

from proxy.model.events import CallEnded
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused
from proxy.model.phase import Phase
from proxy.model.unsettled import Unsettled
from proxy.telemetry.journal import COMMIT_BUCKETS_S, JournalMetrics
from tests.support.prometheus import Family, parse
from tests.support.values import attempt, call, response

BLOCKED = "tidegate_journal_duplicates_blocked_total"
REFUSED = "tidegate_journal_refused_total"
REPLAY = Answered("acme", "a", response(), Execution.DONE, replayed=True)


def _rendered(metrics: JournalMetrics) -> dict[str, Family]:
    return parse("\n".join(metrics.render()) + "\n")


def _refused(reason: str) -> Refused:
    return Refused(reason, 409, "No.")


def test_before_the_first_call_the_form_is_complete() -> None:
    """Every family, every reason and every open state, at zero."""
    families = _rendered(JournalMetrics(lambda: 0.0))
    assert {name: each.kind for name, each in families.items()} == {
        BLOCKED: "counter",
        REFUSED: "counter",
        "tidegate_journal_commit_seconds": "histogram",
        "tidegate_journal_rows": "gauge",
        "tidegate_journal_in_doubt": "gauge",
        "tidegate_journal_in_doubt_oldest_seconds": "gauge",
    }
    reasons = {dict(labels)["reason"] for _, labels in families[BLOCKED].samples}
    assert {"replay", "key_busy", "key_reused", "in_doubt"} <= reasons
    assert len(families["tidegate_journal_rows"].samples) == 3


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (REPLAY, "replay"),
        (_refused("key_busy"), "key_busy"),
        (_refused("key_reused"), "key_reused"),
        (_refused("in_doubt"), "in_doubt"),
        (_refused("resolved_done"), "resolved_done"),
        (Answered("acme", "a", response(), Execution.DONE), None),
        (_refused("shed"), None),
        (InDoubt("acme", "a", Phase.BODY, "journal_unavailable", Origin.PROXY), None),
    ],
)
def test_duplicates_are_counted_by_reason(outcome: Outcome, reason: str | None) -> None:
    """What was sent, and what was refused for other reasons, is none."""
    metrics = JournalMetrics(lambda: 0.0)
    metrics.call(CallEnded(call(), outcome, 1.0))
    found = _rendered(metrics)[BLOCKED]
    counted = {dict(labels)["reason"]: n for (_, labels), n in found.samples.items() if n}
    assert counted == ({reason: 1.0} if reason else {})


def test_a_repetition_that_was_sent_is_not_blocked() -> None:
    """Though its caller hears that the call is in doubt."""
    metrics, made = JournalMetrics(lambda: 0.0), call()
    made.attempts.append(attempt())
    metrics.call(CallEnded(made, _refused("in_doubt"), 1.0))
    assert set(_rendered(metrics)[BLOCKED].samples.values()) == {0.0}


def test_what_a_journal_that_is_away_refused_is_counted() -> None:
    """Nothing was sent for it."""
    metrics = JournalMetrics(lambda: 0.0)
    metrics.call(CallEnded(call(), _refused("journal_unavailable"), 1.0))
    assert _rendered(metrics)[REFUSED].value(REFUSED) == 1


def test_commits_have_buckets_for_good_disks_and_bad_ones() -> None:
    """From a tenth of a millisecond to longer than anybody waits."""
    metrics = JournalMetrics(lambda: 0.0)
    for seconds in (0.0002, 0.0002, 3.0):
        metrics.commits.add(seconds)
    name = "tidegate_journal_commit_seconds"
    found = _rendered(metrics)[name]
    assert found.value(f"{name}_bucket", le="0.00025") == 2
    assert found.value(f"{name}_count") == 3
    assert COMMIT_BUCKETS_S[0] == 0.0001


def test_what_has_no_end_is_shown_by_state_partner_and_age() -> None:
    """The age grows between two looks."""
    now = [1000.0]
    metrics = JournalMetrics(lambda: now[0])
    metrics.unsettled(
        [
            Unsettled("in_doubt", "acme", "a", "authorize", 2, 900.0, 1),
            Unsettled("in_doubt", "acme", "b", "authorize", 1, 950.0, 0),
            Unsettled("in_doubt", "other", "c", "refund", 1, 990.0, 0),
            Unsettled("claimed", "", "", "authorize", 4, 999.0, 0),
        ]
    )
    now[0] = 1005.0
    families = _rendered(metrics)
    rows = families["tidegate_journal_rows"]
    assert [rows.value("tidegate_journal_rows", state=state) for state in
            ("claimed", "sending", "in_doubt")] == [4, 0, 4]  # fmt: skip
    doubts = families["tidegate_journal_in_doubt"]
    assert doubts.value("tidegate_journal_in_doubt", partner="acme") == 3
    name = "tidegate_journal_in_doubt_oldest_seconds"
    assert families[name].value(name, partner="acme", operation="authorize") == 105
    assert families[name].value(name, partner="other", operation="refund") == 15
    metrics.unsettled([])
    assert _rendered(metrics)[name].samples == {}

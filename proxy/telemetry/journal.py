"""What is counted of a journal: duplicates, commits, refusals, and what has no end yet.

Rows that have ended are not among it: counting a million of them takes the disk
half a second, and nobody is waiting for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from proxy.model.events import CallEnded
from proxy.model.outcome import Answered, Refused
from proxy.model.unsettled import Unsettled
from proxy.telemetry.metrics import Histogram, Labels, buckets, family

COMMIT_BUCKETS_S = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
)  # fmt: skip
"""A sync takes a tenth of a millisecond on a good disk; after `timeout_commit` nobody waits."""
_BLOCKING = frozenset(
    ("key_busy", "key_reused", "in_doubt", "resolved_done", "answer_unreadable",
     "answer_not_stored")
)  # fmt: skip
_OPEN_STATES = ("claimed", "sending", "in_doubt")
_COMMITS = "tidegate_journal_commit_seconds"


class JournalMetrics:
    """Hears of calls and commits, and of what has no end; `wall` is for ages."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._blocked = dict.fromkeys(("replay", *sorted(_BLOCKING)), 0)
        self._refused = 0
        self._unsettled: Sequence[Unsettled] = ()
        self.commits = Histogram(COMMIT_BUCKETS_S)

    def call(self, event: CallEnded) -> None:
        """Count a call that was a duplicate, or that the journal had no room for."""
        outcome = event.outcome
        if isinstance(outcome, Answered):
            if outcome.replayed:
                self._blocked["replay"] += 1
        elif isinstance(outcome, Refused):
            # a repetition that was sent is no blocked one, whatever it came to
            if outcome.reason in _BLOCKING and not event.call.attempts:
                self._blocked[outcome.reason] += 1
            elif outcome.reason == "journal_unavailable":
                self._refused += 1

    def unsettled(self, found: Sequence[Unsettled]) -> None:
        """What has no end, as it was seen just now."""
        self._unsettled = found

    def render(self) -> Iterator[str]:
        """Lines of the text form."""
        blocked: list[tuple[Labels, float]] = [
            ((("reason", reason),), count) for reason, count in self._blocked.items()
        ]
        yield from family(
            "tidegate_journal_duplicates_blocked_total", "counter",
            "Calls that were not sent, since their key was used.", blocked,
        )  # fmt: skip
        yield from family(
            "tidegate_journal_refused_total", "counter",
            "Calls refused since the journal was not available.", [((), self._refused)],
        )  # fmt: skip
        yield f"# HELP {_COMMITS} From a step's submission to the disk."
        yield f"# TYPE {_COMMITS} histogram"
        yield from buckets(_COMMITS, (), self.commits)
        yield from self._states()

    def _states(self) -> Iterator[str]:
        states = dict.fromkeys(_OPEN_STATES, 0)
        doubts: dict[str, int] = {}
        oldest: dict[tuple[str, str], float] = {}
        for each in self._unsettled:
            states[each.state] += each.number
            if each.state == "in_doubt":
                doubts[each.partner] = doubts.get(each.partner, 0) + each.number
                kind = (each.partner, each.operation)
                oldest[kind] = min(each.oldest_at, oldest.get(kind, each.oldest_at))
        now = self._wall()
        ages: list[tuple[Labels, float]] = [
            ((("partner", partner), ("operation", operation)), max(0.0, now - at))
            for (partner, operation), at in oldest.items()
        ]
        yield from family(
            "tidegate_journal_rows", "gauge", "Calls without an end, by state.",
            [((("state", state),), number) for state, number in states.items()],
        )  # fmt: skip
        yield from family(
            "tidegate_journal_in_doubt", "gauge", "Calls in doubt.",
            [((("partner", name),), number) for name, number in doubts.items()],
        )  # fmt: skip
        yield from family(
            "tidegate_journal_in_doubt_oldest_seconds", "gauge",
            "Since the first sending of the oldest call in doubt.", ages,
        )  # fmt: skip

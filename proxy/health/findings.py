"""Findings: what keeps failing, in words that name partner, phase and origin.

A finding opens when the same thing failed three times within half a minute at
one upstream, and ends when it has not happened for half a minute. It is an
observation, not yet a verdict: it names what was seen, without weighing it
against what else was going on.

Calls that have been in doubt for too long are findings as well, for as long as
there are any.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from proxy.model.clock import Clock
from proxy.model.events import AttemptEnded
from proxy.model.outcome import InDoubt, Unsent
from proxy.model.unsettled import Unsettled

WINDOW_S = 30.0
OPENS_AT = 3
ENDED_KEPT_MAX = 100
_FAILED = (Unsent, InDoubt)
"""A tuple made once: a union would be made anew for each attempt."""
_Key = tuple[str, str, str, str, str]


@dataclass(slots=True)
class _Trouble:
    """Recent failures of one kind; instants are monotonic seconds, `since` is wall time."""

    recent: deque[float] = field(default_factory=lambda: deque(maxlen=OPENS_AT))
    since: float = 0.0
    last: float = 0.0
    last_at: float = float("-inf")
    count: int = 0
    open: bool = False


class Findings:
    """Listens to attempts; bounded by upstreams x fixed vocabularies of phases and reasons."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._troubles: dict[_Key, _Trouble] = {}
        self._doubts: dict[_Key, _Trouble] = {}
        self._names: dict[_Key, _Trouble] = {}
        self._checks: dict[_Key, _Trouble] = {}
        self._ended: deque[dict[str, object]] = deque(maxlen=ENDED_KEPT_MAX)

    def attempt(self, event: AttemptEnded) -> None:
        """Note an attempt that failed."""
        outcome = event.attempt.outcome
        if not isinstance(outcome, _FAILED):
            return
        key = (
            outcome.partner,
            outcome.upstream,
            outcome.phase.value,
            outcome.reason,
            outcome.origin.value,
        )
        trouble = self._troubles.get(key)
        if trouble is None:
            trouble = self._troubles[key] = _Trouble()
        now, wall = self._clock.now(), self._clock.wall()
        if now - trouble.last_at > WINDOW_S:
            self._end(key, trouble)
            trouble.count, trouble.since, trouble.open = 0, wall, False
            trouble.recent.clear()
        trouble.count += 1
        trouble.last, trouble.last_at = wall, now
        trouble.recent.append(now)
        if len(trouble.recent) == OPENS_AT and now - trouble.recent[0] <= WINDOW_S:
            trouble.open = True

    def in_doubt(self, found: Iterable[Unsettled]) -> None:
        """Note what is in doubt for too long; what is not among it any more has ended."""
        before, self._doubts = self._doubts, {}
        wall = self._clock.wall()
        for each in found:
            if each.state != "in_doubt" or not each.old:
                continue
            key = (each.partner, each.upstream, "settle", "in_doubt_old", "partner")
            trouble = self._doubts.setdefault(key, _Trouble(since=each.oldest_at, open=True))
            trouble.since = min(trouble.since, each.oldest_at)
            trouble.count += each.old
            trouble.last = wall
        for key, trouble in before.items():
            if key not in self._doubts:
                self._end(key, trouble)

    def names(self, found: Iterable[tuple[str, str, str, float]]) -> None:
        """Note the names in trouble: (partner, upstream, reason, since when, monotonic)."""
        self._names = self._lasting(
            self._names,
            (
                ((partner, at, "resolve", reason, "dns"), since)
                for partner, at, reason, since in found
            ),
        )

    def checks(self, found: Iterable[tuple[str, str, str, str, str, float]]) -> None:
        """Note upstreams whose checks fail, and standbys that are not proven: (partner, upstream,
        phase, reason, origin, since when, monotonic).
        """
        self._checks = self._lasting(self._checks, ((each[:5], each[5]) for each in found))

    def _lasting(
        self, before: dict[_Key, _Trouble], found: Iterable[tuple[_Key, float]]
    ) -> dict[_Key, _Trouble]:
        """What is found now; what is not among it any more has ended."""
        now, wall = self._clock.now(), self._clock.wall()
        standing = dict[_Key, _Trouble]()
        for key, since in found:
            trouble = before.pop(key, None) or _Trouble(since=wall - (now - since), open=True)
            trouble.last, trouble.count = wall, trouble.count + 1
            standing[key] = trouble
        for key, trouble in before.items():
            self._end(key, trouble)
        return standing

    def report(self) -> dict[str, object]:
        """The document served at /findings."""
        now = self._clock.now()
        standing = {**self._doubts, **self._names, **self._checks}
        current = [_document(key, trouble) for key, trouble in standing.items()]
        for key, trouble in list(self._troubles.items()):
            if now - trouble.last_at > WINDOW_S:
                self._end(key, trouble)
                del self._troubles[key]
            elif trouble.open:
                current.append(_document(key, trouble))
        return {"schema": 1, "findings": current, "ended": list(self._ended)}

    def _end(self, key: _Key, trouble: _Trouble) -> None:
        if trouble.open:
            self._ended.append(_document(key, trouble))


def _document(key: _Key, trouble: _Trouble) -> dict[str, object]:
    names = ("partner", "upstream", "phase", "reason", "origin")
    document: dict[str, object] = dict(zip(names, key, strict=True))
    document |= {"since": trouble.since, "last": trouble.last, "count": trouble.count}
    return document

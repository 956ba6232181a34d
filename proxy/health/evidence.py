"""PURE. From slices to what a verdict is made of: one piece of evidence for each trouble."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from proxy.health.slices import Slice, Value
from proxy.health.symptom import Kind
from proxy.health.window import SPAN_S, Trouble

_SUSPECT_S = 5.0
_SUSPECT_IN_ROW = 2


@dataclass(frozen=True, slots=True)
class Part:
    """What one dimension value has of a broad slice's trouble, over its last minute."""

    value: Value
    bad: int
    calls: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """One trouble of one slice. `since` and `last` are monotonic seconds."""

    partner: str
    upstream: str
    operation: str
    value: Value | None
    phase: str
    kind: Kind
    reason: str
    origin: str
    bad: int
    calls: int
    low: float
    """Lower bound of the share behind `bad` of `calls`, with 99 % certainty."""
    since: float
    last: float
    open: bool
    """Otherwise it is no more than a suspicion, and only says that somebody is not alone."""
    fresh: bool = True
    """It was met on a new connection, too, and not only on ones that may have died long ago."""
    parts: tuple[Part, ...] = ()
    slow_s: float = 0.0
    certain: str = ""
    """Why it is known without counting calls; empty where calls are the evidence."""


def of_slice(at: Slice, parts: Iterable[Slice], now: float) -> list[Evidence]:
    """What stands or is suspected in one slice."""
    return [
        _evidence(at, trouble, () if at.value else _parts(parts, trouble, now))
        for trouble in at.troubles.values()
        if trouble.open or _suspected(trouble, now)
    ]


def _suspected(trouble: Trouble, now: float) -> bool:
    return trouble.in_row >= _SUSPECT_IN_ROW and now - trouble.last_at <= _SUSPECT_S


def _evidence(at: Slice, trouble: Trouble, parts: tuple[Part, ...]) -> Evidence:
    reason, origin = trouble.why
    bad, calls = (trouble.bad, trouble.calls) if trouble.open else (trouble.in_row, trouble.in_row)
    since = trouble.since if trouble.open else trouble.row_since
    low, _ = trouble.bounds()
    return Evidence(
        at.partner, at.upstream, at.operation, at.value, trouble.phase, trouble.kind, reason,
        origin, bad, max(bad, calls), low if trouble.open else 0.0, since, trouble.last_at,
        trouble.open, trouble.fresh, parts, at.slow_s if trouble.kind is Kind.SLOW else 0.0,
    )  # fmt: skip


def _parts(slices: Iterable[Slice], trouble: Trouble, now: float) -> tuple[Part, ...]:
    second = int(now)
    seconds = max(1, min(SPAN_S, second - int(trouble.since) + 1))
    found = []
    for each in slices:
        if each.value is None:
            continue
        same = each.troubles.get((trouble.phase, trouble.kind))
        bad = 0 if same is None else same.ring.total(second, seconds)
        found.append(Part(each.value, bad, each.calls.total(second, seconds)))
    return tuple(found)

"""PURE. What is wrong at one upstream, without what follows from it, in its narrowest slice.

what fails                          what is not told beside it
names, connecting, handshake        later phases, which have old connections only
anything but our queue              our queue, which fills since calls hang
a phase on the way                  slowness of the same operation
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from proxy.health.evidence import Evidence, Part
from proxy.health.symptom import ANSWER, Kind
from proxy.model.bounds import surprise

ON_THE_WAY = frozenset(("connect", "tls", "send", "first_byte", "body"))
_STALE_S = 5.0
"""Old connections that die are told as soon as a new one failed, or after so long."""
_REST_MIN = 5
_REST_SHARE = 1 / 3
_REST_SURPRISE = 6.0
_ORDINARY = 0.02
_BEFORE = ("resolve", "connect", "tls")


def by_upstream(found: Iterable[Evidence]) -> dict[str, list[Evidence]]:
    """The evidence of each upstream."""
    groups: dict[str, list[Evidence]] = {}
    for each in found:
        groups.setdefault(each.upstream, []).append(each)
    return groups


def causes(group: Sequence[Evidence], now: float) -> list[Evidence]:
    """What is wrong at one upstream, without what follows from it."""
    kept = [_whole(group, phase) for phase in _BEFORE]
    first = [each for each in kept if each is not None]
    gone = [each.last for each in first if each.open and not each.certain]
    rest = [each for each in group if each.phase not in _BEFORE]
    if gone:
        rest = [each for each in rest if _answers_still(each, max(gone))]
    rest = [each for each in rest if each.fresh or _lasting(each, now)]
    return [*_first(first), *_without_effects(_narrowed(rest))]


def _answers_still(each: Evidence, gone_at: float) -> bool:
    """Whether an upstream that can't always be reached says something wrong meanwhile."""
    said = each.phase == ANSWER and each.kind is not Kind.SATURATED
    return said and each.last > gone_at - _STALE_S


def _first(found: Sequence[Evidence]) -> Sequence[Evidence]:
    """The first phase that really fails; a name that is only in trouble stands beside it."""
    certain = [each for each in found if each.certain]
    failing = [each for each in found if not each.certain]
    standing = [each for each in failing if each.open] or failing
    return [*certain, *standing[:1]]


def _lasting(each: Evidence, now: float) -> bool:
    if each.phase == ANSWER or each.kind is not Kind.FAILED or each.phase == "queue":
        return True
    return now - each.since > _STALE_S and now - each.last < _STALE_S


def _whole(group: Sequence[Evidence], phase: str) -> Evidence | None:
    """A phase before sending, whatever the operation; several are added up."""
    same = [each for each in group if each.phase == phase and each.value is None]
    certain = [each for each in same if each.certain]
    same = [each for each in same if each.open] or same
    if not same:
        return None
    worst = max(same, key=lambda each: each.bad)
    added = replace(
        worst,
        operation="",
        bad=sum(each.bad for each in same),
        calls=sum(each.calls for each in same),
        since=min(each.since for each in same),
        last=max(each.last for each in same),
        parts=(),
        certain="" if worst.bad or not certain else certain[0].certain,
    )
    return replace(added, open=added.open or bool(certain))


def _narrowed(group: Sequence[Evidence]) -> list[Evidence]:
    """Of each operation's trouble the narrowest slice that explains it."""
    narrow: list[Evidence] = []
    for broad in (each for each in group if each.value is None and each.open):
        hurt = explained(broad.parts)
        narrow += [_own(part, broad, group) for part in hurt] or [broad]
    told = {(each.operation, each.phase, each.kind) for each in narrow}
    for each in group:
        key = (each.operation, each.phase, each.kind)
        if key not in told and (each.value is None or each.open):
            narrow.append(each)
    return narrow


def _own(part: Part, broad: Evidence, group: Sequence[Evidence]) -> Evidence:
    """The evidence of one value: its own where it has enough, else its part of the broad one."""
    for each in group:
        if each.value == part.value and each.open and _same(each, broad):
            return replace(each, parts=broad.parts, fresh=broad.fresh)
    return replace(broad, value=part.value, bad=part.bad, calls=part.calls)


def _same(one: Evidence, other: Evidence) -> bool:
    return (one.operation, one.phase, one.kind) == (other.operation, other.phase, other.kind)


def explained(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The values of one dimension that explain a trouble, if the rest is well without them."""
    for name in dict.fromkeys(part.value[0] for part in parts):
        own = [part for part in parts if part.value[0] == name and part.calls]
        worst = max((part.bad / part.calls for part in own), default=0.0)
        hurt = [part for part in own if part.bad > 1 and part.bad / part.calls >= worst / 2]
        bad = sum(part.bad for part in own) - sum(part.bad for part in hurt)
        calls = sum(part.calls for part in own) - sum(part.calls for part in hurt)
        if not hurt or calls < _REST_MIN or bad / calls > worst * _REST_SHARE:
            continue
        if surprise(bad, calls, _ORDINARY) < _REST_SURPRISE:
            return tuple(hurt)
    return ()


def _without_effects(group: list[Evidence]) -> list[Evidence]:
    """A queue that fills since calls hang, and slowness beside failures, are not told."""
    open_ones = [each for each in group if each.open]
    hangs = any(
        each.phase != "queue" and each.kind is not Kind.REJECTED and not each.certain
        for each in open_ones
    )
    failing = {each.operation for each in open_ones if each.phase in ON_THE_WAY
               and each.kind is Kind.FAILED}  # fmt: skip
    return [
        each
        for each in group
        if not (each.phase == "queue" and hangs)
        and not (each.kind is Kind.SLOW and each.operation in failing)
    ]

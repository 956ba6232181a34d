"""PURE. From the evidence to the one thing to know: whose fault, where, in which phase, since when.

The rules, in the order in which they are applied:

1.  What follows from something worse is not told. An upstream that can't be reached
    has timeouts on old connections too; one that hangs fills our own queue.
2.  The narrowest slice that explains the failures is named: a dimension value if the
    rest is well, an operation if the others are, else the upstream. Before anything is
    sent there are no slices: names, connections and handshakes belong to an upstream.
3.  The same dimension value failing at every partner that has it is the scheme.
4.  Two partners or more failing at once in the same phase, for the same reason, before
    an answer: the network or us, not all of them. Certificates of several partners that
    expire in the same minute are our clock, or our store of roots.
5.  Names are dns. A full pool, our client certificate, missing ports and descriptors,
    and refused credentials are us. Requests refused in mass are the application.
6.  What is left is the partner's; a connection that times out is the network's only if
    nothing else shows that our network works.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from proxy.health.causes import ON_THE_WAY, by_upstream, causes
from proxy.health.evidence import Evidence
from proxy.health.symptom import Kind

AT_ONCE_S = 30.0
"""Troubles that began within this time of each other may have one cause."""
_CALLS_SURE = 20
_OURS = frozenset(("no_local_port", "no_descriptor", "bug"))
_CLOCK_OR_ROOTS = frozenset(
    ("certificate_expired", "certificate_not_yet_valid", "certificate_unknown_ca")
)


class Blame(StrEnum):
    """Whose doing it is."""

    APPLICATION = "application"
    US = "us"
    DNS = "dns"
    NETWORK = "network"
    PARTNER = "partner"
    SCHEME = "scheme"


class Confidence(StrEnum):
    """How sure."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Place:
    """One slice that a verdict is about; `values` is empty where all dimension values are hurt,
    `operation` where all operations are.
    """

    partner: str
    upstream: str
    operation: str = ""
    values: tuple[tuple[str, str], ...] = ()

    @property
    def slice(self) -> str:
        """In words: upstream · operation · scheme=visa."""
        named = [f"{name}={value}" for name, value in self.values]
        return " · ".join(part for part in (self.upstream, self.operation, *named) if part)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What has degraded. Instants are monotonic seconds."""

    places: tuple[Place, ...]
    phase: str
    kind: Kind
    reason: str
    origin: Blame
    since: float
    bad: int
    calls: int
    confidence: Confidence
    others_reached: tuple[str, ...] = ()
    """Other partners that answered meanwhile, over the same network."""
    instead: tuple[str, ...] = ()
    """Upstreams that calls went to instead."""
    slow_s: float = 0.0
    certain: str = ""
    evidence: tuple[Evidence, ...] = field(default=(), repr=False)

    @property
    def partners(self) -> tuple[str, ...]:
        """Each partner once."""
        return tuple(dict.fromkeys(place.partner for place in self.places))

    @property
    def upstreams(self) -> tuple[str, ...]:
        """Each upstream once."""
        return tuple(dict.fromkeys(place.upstream for place in self.places))

    @property
    def share(self) -> float:
        """Of the calls."""
        return self.bad / self.calls if self.calls else 0.0


def judge(
    found: Sequence[Evidence],
    reached: Mapping[str, float],
    values_used: Mapping[tuple[str, str], frozenset[str]],
    now: float,
) -> list[Verdict]:
    """All verdicts, the oldest first.

    `reached` says when each partner last answered well; `values_used` which partners have had
    calls with each dimension value in the last minute.
    """
    named = [each for group in by_upstream(found).values() for each in causes(group, now)]
    verdicts: list[Verdict] = []
    taken: set[int] = set()
    for shared in (*_schemes(named, values_used), *_shared(named)):
        if any(id(each) in taken for each in shared) or not any(each.open for each in shared):
            continue
        taken.update(id(each) for each in shared)
        verdicts.append(_verdict(shared, reached, now))
    alone = _of_one_partner(each for each in named if each.open and id(each) not in taken)
    verdicts += [_verdict(group, reached, now) for group in alone]
    return sorted(verdicts, key=lambda each: each.since)


# -- several partners --------------------------------------------------------------------------


def _schemes(
    named: Sequence[Evidence], values_used: Mapping[tuple[str, str], frozenset[str]]
) -> Iterable[tuple[Evidence, ...]]:
    """The same value failing at all partners that have it."""
    by_value: dict[tuple[str, str], list[Evidence]] = {}
    for each in named:
        if each.value is not None and each.open and each.kind is not Kind.REJECTED:
            by_value.setdefault(each.value, []).append(each)
    for value, group in by_value.items():
        partners = {each.partner for each in group}
        if len(partners) > 1 and partners >= values_used.get(value, frozenset()):
            yield tuple(group)


def _shared(named: Sequence[Evidence]) -> Iterable[tuple[Evidence, ...]]:
    """The same phase and reason at two partners or more, begun at about the same time."""
    alike: dict[tuple[str, Kind, str], list[Evidence]] = {}
    for each in named:
        if each.phase in ON_THE_WAY and each.value is None and not each.certain:
            alike.setdefault((each.phase, each.kind, each.reason), []).append(each)
    for group in alike.values():
        first = min(each.since for each in group)
        at_once = tuple(each for each in group if each.since - first <= AT_ONCE_S)
        if len({each.partner for each in at_once}) > 1:
            yield at_once


def _of_one_partner(named: Iterable[Evidence]) -> Iterable[Sequence[Evidence]]:
    """What happens in the same way at several upstreams or operations of a partner is one thing."""
    alike: dict[tuple[str, str, Kind, str], list[Evidence]] = {}
    for each in named:
        alike.setdefault((each.partner, each.phase, each.kind, each.reason), []).append(each)
    return alike.values()


# -- the verdict ---------------------------------------------------------------------------------


def _verdict(group: Sequence[Evidence], reached: Mapping[str, float], now: float) -> Verdict:
    worst = max(group, key=lambda each: (each.open, each.bad))
    partners = {each.partner for each in group}
    since = min(each.since for each in group)
    others = tuple(
        name for name, at in reached.items() if name not in partners and now - at <= AT_ONCE_S
    )
    origin = blame(worst, partners, others, scheme=_is_scheme(group))
    return Verdict(
        places=_places(group),
        phase=worst.phase,
        kind=worst.kind,
        reason=worst.reason,
        origin=origin,
        since=since,
        bad=sum(each.bad for each in group),
        calls=sum(each.calls for each in group),
        confidence=_confidence(worst, origin, others),
        others_reached=others,
        slow_s=worst.slow_s,
        certain=worst.certain,
        evidence=tuple(group),
    )


def _places(group: Sequence[Evidence]) -> tuple[Place, ...]:
    values: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for each in group:
        at = values.setdefault((each.partner, each.upstream, each.operation), [])
        if each.value is not None:
            at.append(each.value)
    return tuple(Place(*key, values=tuple(found)) for key, found in values.items())


def _is_scheme(group: Sequence[Evidence]) -> bool:
    return len({each.partner for each in group}) > 1 and all(each.value for each in group)


def blame(
    worst: Evidence, partners: set[str], others: Sequence[str], *, scheme: bool = False
) -> Blame:
    """Whose doing it is."""
    if scheme:
        return Blame.SCHEME
    ours = worst.reason in _OURS or worst.reason.startswith("client_certificate")
    if worst.phase == "queue" or ours:
        return Blame.US
    if worst.phase == "resolve":
        return Blame.DNS
    if worst.kind is Kind.REJECTED:
        return Blame.US if worst.origin == "us" else Blame.APPLICATION
    if worst.certain:
        return Blame(worst.origin)
    if len(partners) > 1 and worst.phase in ON_THE_WAY:
        return Blame.US if worst.reason in _CLOCK_OR_ROOTS else Blame.NETWORK
    if worst.phase == "connect" and worst.reason == "unreachable":
        return Blame.NETWORK
    if worst.phase == "connect" and worst.reason == "timeout" and not others:
        return Blame.NETWORK
    return Blame.PARTNER


def _confidence(worst: Evidence, origin: Blame, others: Sequence[str]) -> Confidence:
    if worst.certain or worst.phase == "tls" or worst.reason in _OURS:
        return Confidence.HIGH
    weighty = worst.calls >= _CALLS_SURE or worst.low >= 0.5
    contrast = bool(others) or origin in (Blame.US, Blame.DNS, Blame.SCHEME)
    if weighty and contrast:
        return Confidence.HIGH
    return Confidence.MEDIUM if weighty or contrast else Confidence.LOW

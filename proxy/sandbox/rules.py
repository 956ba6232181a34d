"""Fault rules: reading them from JSON, and choosing those that a request meets.

A rule is one JSON object: `kind`, `share`, `by`, `match`, `execute` and the
members that its kind takes (see `kinds`). Whether a share takes a request is
drawn from the seed and the request, so that a run can be repeated; with
`by: counter` it is every n-th request that matches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from proxy.sandbox.chance import draw
from proxy.sandbox.kinds import KINDS, Execute, Kind, Stage
from proxy.sandbox.message import PartnerRequest

RULES_MAX = 64
_MATCHES = ("scheme", "method", "path_prefix", "operation", "currency")
_OF_ALL = (Stage.LISTENER, Stage.STAFF)
"""Stages whose rules meet no single request."""
_COMMON = ("kind", "share", "by", "match", "execute")


class RuleError(Exception):
    """A rule that cannot be taken; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One fault, read and checked. `params` holds a value for each member that the kind takes."""

    kind: str
    stage: Stage
    share: float
    by: str
    match: Mapping[str, str]
    execute: Execute
    params: Mapping[str, Any]
    source: Mapping[str, Any]
    """As it was given, for `GET /faults`."""

    def matches(self, request: PartnerRequest) -> bool:
        """Whether every condition holds; no condition matches everything."""
        return all(self._holds(name, wanted, request) for name, wanted in self.match.items())

    @staticmethod
    def _holds(name: str, wanted: str, request: PartnerRequest) -> bool:
        if name == "path_prefix":
            return request.path.startswith(wanted)
        found: str | None = getattr(request, name)
        return found is not None and found.lower() == wanted.lower()


def read_rules(found: Any) -> list[Rule]:
    """The rules of a JSON list; raises RuleError for the first that is wrong."""
    if not isinstance(found, list):
        raise RuleError("faults must be a JSON list of rules")
    if len(found) > RULES_MAX:
        raise RuleError(f"at most {RULES_MAX} rules")
    rules = []
    for number, item in enumerate(found, start=1):
        try:
            rules.append(_read_rule(item))
        except ValueError as problem:
            raise RuleError(f"rule {number}: {problem}") from None
    return rules


def _read_rule(item: Any) -> Rule:
    if not isinstance(item, dict):
        raise ValueError("must be a JSON object")
    name = item.get("kind")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None or not isinstance(name, str):
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    unknown = sorted(set(item) - set(_COMMON) - set(kind.params))
    if unknown:
        takes = ", ".join((*_COMMON, *kind.params))
        raise ValueError(f"{name} does not take {', '.join(unknown)}; it takes {takes}")
    share, match = _read_share(item), _read_match(item.get("match", {}))
    if kind.stage in _OF_ALL and (share != 1 or match):
        raise ValueError(f"{name} is there for everybody: share must be 1 and match empty")
    by = item.get("by", "hash")
    if by not in ("hash", "counter"):
        raise ValueError("by must be one of hash, counter")
    execute, params = _read_execute(name, kind, item), _read_params(name, kind, item)
    return Rule(name, kind.stage, share, by, match, execute, params, item)


def _read_share(item: Mapping[str, Any]) -> float:
    share = item.get("share", 1)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise ValueError("share must be a number from 0 to 1")
    return float(share)


def _read_match(found: Any) -> Mapping[str, str]:
    if not isinstance(found, dict):
        raise ValueError("match must be a JSON object")
    for name, wanted in found.items():
        if name not in _MATCHES:
            raise ValueError(f"match does not know {name}; it knows {', '.join(_MATCHES)}")
        if not isinstance(wanted, str) or not wanted:
            raise ValueError(f"match.{name} must be a text")
    return found


def _read_execute(name: str, kind: Kind, item: Mapping[str, Any]) -> Execute:
    if "execute" not in item:
        return kind.execute[0] if kind.execute else Execute.BEFORE
    if not kind.execute:
        raise ValueError(f"{name} does not take execute")
    if item["execute"] not in kind.execute:
        raise ValueError(f"{name} takes execute {' or '.join(kind.execute)}")
    return Execute(item["execute"])


def _read_params(name: str, kind: Kind, item: Mapping[str, Any]) -> Mapping[str, Any]:
    params = {}
    for member, param in kind.params.items():
        if member not in item:
            if param.required:
                raise ValueError(f"{name} needs {member}")
            params[member] = param.default
            continue
        try:
            params[member] = param.read(item[member])
        except ValueError as problem:
            raise ValueError(f"{member} {problem}") from None
    if kind.exactly_one_of:
        given = [m for m in kind.exactly_one_of if m in item and item[m] is not False]
        if len(given) != 1:
            raise ValueError(f"{name} needs exactly one of {', '.join(kind.exactly_one_of)}")
    return params


@dataclass(frozen=True, slots=True)
class Plan:
    """The rules that one request meets, at most one a stage."""

    pace: Rule | None = None
    answer: Rule | None = None
    afterwards: Rule | None = None


@dataclass(slots=True)
class Rulebook:
    """The rules in force and the counters of those that count."""

    seed: int
    rules: Sequence[Rule] = ()
    _counts: list[int] = field(default_factory=list)

    def replace(self, rules: Sequence[Rule]) -> None:
        """Put other rules in force; counters begin anew."""
        self.rules = rules
        self._counts = [0] * len(rules)

    def listener(self) -> Rule | None:
        """The rule for the listening socket; a blackhole swallows a refusal."""
        found = {rule.kind: rule for rule in self.rules if rule.stage is Stage.LISTENER}
        return found.get("blackhole") or found.get("refuse")

    def workers(self) -> Rule | None:
        """The rule for how many requests are worked on at once, the first of them."""
        return next((rule for rule in self.rules if rule.stage is Stage.STAFF), None)

    def plan(self, request: PartnerRequest) -> Plan:
        """The first rule of each stage that matches and whose share takes this request."""
        met: dict[str, Rule] = {}
        for place, rule in enumerate(self.rules):
            if rule.stage in _OF_ALL or rule.stage in met or not rule.matches(request):
                continue
            if self._takes(place, rule, request):
                met[rule.stage] = rule
        return Plan(**met)

    def fresh_connection(self, number: int) -> Rule | None:
        """The idle_408 rule that a new connection meets; only one without conditions can."""
        for place, rule in enumerate(self.rules):
            if rule.kind == "idle_408" and not rule.match:
                what = (str(place), "connection", str(number))
                return rule if draw(self.seed, "fault", *what) < rule.share else None
        return None

    def _takes(self, place: int, rule: Rule, request: PartnerRequest) -> bool:
        if rule.share >= 1:
            return True
        if rule.by == "counter":
            self._counts[place] += 1
            count = self._counts[place]
            return int(count * rule.share) > int((count - 1) * rule.share)
        what = (str(place), rule.kind, request.operation, fault_key(request))
        return draw(self.seed, "fault", *what) < rule.share


def fault_key(request: PartnerRequest) -> str:
    """What a fault's draw depends on: the nonce, else reference, key, or the request itself."""
    return request.nonce or request.reference or request.idempotency_key or request.fingerprint


def latency_key(request: PartnerRequest) -> str:
    """What a latency's draw depends on: the reference, else nonce, key, or the request itself."""
    return request.reference or request.nonce or request.idempotency_key or request.fingerprint

"""PURE. What has to be asked of Prometheus, and what its answers mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from tools.monitoring import Dashboard, RuleFile
from tools.promql import filled, parts

VALUES = {
    "instance": ".*", "route": ".*", "partner": ".*", "upstream": ".*", "name": ".*",
    "__rate_interval": "10s", "__interval": "5s", "__range": "1m",
}  # fmt: skip
"""What dashboards' variables are set to: everything, and intervals that fit a short story."""

OR_ZERO = " or vector(0)"
"""Has data always, and so would hide that the rest has none."""

RAISED = frozenset(
    f"Tidegate{name}"
    for name in (
        "PaymentsBurnFast", "PaymentsBurnSlow", "PaymentsBurnLong", "Degraded", "IncidentLong",
        "BreakerOpen", "LastWayOut", "StandbyUnproven", "CheckFailing", "AlertsUndelivered",
        "DnsStale", "DnsLost", "DnsFailing", "TelemetryDropped", "CollectorFails",
    )
)  # fmt: skip
"""What the story has to raise, at least until it would have lasted long enough."""
NEVER = frozenset(
    f"Tidegate{name}"
    for name in (
        "Down", "NearInFlight", "PaymentsShed", "Bug", "LogLinesDropped", "OverrideNotKept",
        "JournalUnavailable", "InDoubtOld", "SettleGaveUp",
    )
)  # fmt: skip
"""What nothing in the story is a reason for."""

_TYPE = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)
_NAME = re.compile(r"(?:tidegate|process)_[a-z0-9]+(?:_[a-z0-9]+)*")
_UNITS = re.compile(r"_(?:milliseconds|ms|us|minutes|hours|kilobytes|kib|mib|percent)(?:_total)?$")


@dataclass(frozen=True, slots=True)
class Question:
    """One expression that has to have data, and where it stands."""

    where: str
    expression: str


def of_dashboards(dashboards: Mapping[str, Dashboard]) -> Iterator[Question]:
    """Each query of each panel, and each annotation."""
    for path, dashboard in dashboards.items():
        for panel in dashboard.pictures():
            for target in panel.targets:
                expression = filled(target.expr, VALUES).replace(OR_ZERO, "")
                yield Question(f"{path} · {panel.title} · {target.ref}", expression)
        for each in dashboard.annotations["list"]:
            if "expr" in each:
                [expression] = parts(filled(each["expr"], VALUES))
                yield Question(f"{path} · annotation {each['name']}", expression)


def of_rules(files: Mapping[str, RuleFile]) -> Iterator[Question]:
    """Each recording rule's name, and each part of each alert's condition."""
    for path, file in files.items():
        for record in file.records():
            yield Question(f"{path} · {record.record}", record.record)
        for alert in file.alerts():
            for part in parts(alert.expr):
                yield Question(f"{path} · {alert.alert}", part)


def against_story(raised: AbstractSet[str], too_early: AbstractSet[str]) -> Iterator[str]:
    """Alerts that were not raised, that were without a reason, or before there was one."""
    yield from (f"{name} was not raised in the story" for name in sorted(RAISED - raised))
    yield from (f"{name} was raised without a reason" for name in sorted(NEVER & raised))
    yield from (f"{name} was raised while all was well" for name in sorted(too_early))


def against_conventions(exposition: str) -> Iterator[str]:
    """Names that Prometheus's conventions would have otherwise; promtool looks at less."""
    for found in _TYPE.finditer(exposition):
        name, kind = found[1], found[2]
        if not _NAME.fullmatch(name):
            yield f"{name}: neither tidegate_ nor process_, in lower case"
        if (kind == "counter") != name.endswith("_total"):
            yield f"{name}: counters end with _total, and nothing else does"
        if kind == "histogram" and not name.endswith(("_seconds", "_bytes")):
            yield f"{name}: a histogram ends with its unit"
        if _UNITS.search(name):
            yield f"{name}: not a base unit"
        if f"# HELP {name} " not in exposition:
            yield f"{name}: no help"

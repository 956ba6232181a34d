"""What ships for Grafana and Prometheus, read into values; another form is an error.

The models are strict about what we write and about what Grafana and Prometheus need; they
leave out what Grafana adds by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

DASHBOARDS = "config/dashboards"
ALERTS = "config/alerts"


class Strict(BaseModel):
    """Unknown members are mistakes."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Lenient(BaseModel):
    """Members that we do not look at are Grafana's own."""


class Source(Strict):
    """Whom a panel asks: always the variable, so that a dashboard fits every Grafana."""

    type: Literal["prometheus"]
    uid: Literal["${datasource}"]


class Place(Strict):
    """Where a panel stands, on a grid 24 wide."""

    x: int = Field(ge=0, lt=24)
    y: int = Field(ge=0)
    w: int = Field(ge=1, le=24)
    h: int = Field(ge=1)


class Target(Lenient):
    """One query of a panel."""

    ref: str = Field(alias="refId", min_length=1)
    datasource: Source
    expr: str = Field(min_length=1)
    legend: str = Field(alias="legendFormat")
    instant: bool


class Row(Lenient):
    """A heading."""

    id: int
    type: Literal["row"]
    title: str = Field(min_length=1)
    place: Place = Field(alias="gridPos")
    panels: list[Any] = Field(max_length=0)


class Panel(Lenient):
    """A picture, with words on what it means."""

    id: int
    type: Literal["stat", "timeseries", "table", "heatmap", "state-timeline"]
    title: str = Field(min_length=1)
    description: str = Field(min_length=1)
    datasource: Source
    place: Place = Field(alias="gridPos")
    targets: list[Target] = Field(min_length=1)


class Variable(Lenient):
    """A choice above the panels."""

    name: str
    type: Literal["datasource", "query"]
    query: str | dict[str, str]


class Variables(Strict):
    """Grafana wraps them."""

    list: list[Variable]


class Dashboard(Lenient):
    """One file of config/dashboards."""

    uid: str = Field(pattern=r"^tidegate-[a-z]+$")
    title: str
    description: str
    schema_version: int = Field(alias="schemaVersion", ge=36)
    templating: Variables
    annotations: dict[str, list[dict[str, Any]]]
    panels: list[Row | Panel]

    def pictures(self) -> Iterator[Panel]:
        """All panels but the headings."""
        yield from (each for each in self.panels if isinstance(each, Panel))


class Annotations(Strict):
    """What somebody who is woken reads first."""

    summary: str = Field(min_length=20)
    description: str = Field(min_length=20)
    docs: str = Field(pattern=r"^docs/[a-z-]+\.md(#[a-z0-9-]+)?$")


class Labels(Strict):
    """By which an alert finds its receiver."""

    severity: Literal["page", "ticket"]


class Alert(Strict):
    """One alert."""

    alert: str = Field(pattern=r"^Tidegate[A-Z]\w+$")
    expr: str
    for_: str = Field("0m", alias="for", pattern=r"^\d+[mh]$")
    labels: Labels
    annotations: Annotations


class Record(Strict):
    """One recording rule, named level:metric:operations."""

    record: str = Field(pattern=r"^[a-z]+:tidegate_[a-z_]+:[a-z0-9_]+$")
    expr: str


class Group(Strict):
    """Rules that are evaluated together."""

    name: str
    rules: list[Alert | Record]


class RuleFile(Strict):
    """One file of config/alerts."""

    groups: list[Group]

    def alerts(self) -> Iterator[Alert]:
        """All alerts."""
        yield from (rule for rule in self._rules() if isinstance(rule, Alert))

    def records(self) -> Iterator[Record]:
        """All recording rules."""
        yield from (rule for rule in self._rules() if isinstance(rule, Record))

    def _rules(self) -> Iterator[Alert | Record]:
        for group in self.groups:
            yield from group.rules


def dashboards(root: Path) -> dict[str, Dashboard]:
    """All dashboards, by path."""
    return {
        path.relative_to(root).as_posix(): Dashboard.model_validate(json.loads(path.read_text()))
        for path in sorted((root / DASHBOARDS).glob("*.json"))
    }


def rule_files(root: Path) -> dict[str, RuleFile]:
    """All files of rules, by path."""
    return {
        path.relative_to(root).as_posix(): RuleFile.model_validate(yaml.safe_load(path.read_text()))
        for path in sorted((root / ALERTS).glob("*.yaml"))
    }


def cases(root: Path) -> Iterator[tuple[str, bool]]:
    """Of promtool's tests: an alert's name, and whether it has to be raised."""
    for path in sorted((root / ALERTS / "tests").glob("*.yaml")):
        for test in yaml.safe_load(path.read_text())["tests"]:
            for case in test["alert_rule_test"]:
                yield case["alertname"], bool(case["exp_alerts"])


def orders(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Of promtool's tests: path, the groups of the rules as they stand, and their order there."""
    for path in sorted((root / ALERTS / "tests").glob("*.yaml")):
        tests = yaml.safe_load(path.read_text())
        files = [yaml.safe_load((path.parent / name).read_text()) for name in tests["rule_files"]]
        groups = [group["name"] for file in files for group in file["groups"]]
        yield path.relative_to(root).as_posix(), groups, tests.get("group_eval_order", [])

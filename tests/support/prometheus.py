"""Reads the Prometheus text form (version 0.0.4) strictly, and shares no code with the writer.

A scraper forgives some of what is an error here: a sample before its type, a
series that stands twice, a family in two places.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_HELP = re.compile(rf"# HELP ({_NAME}) (\S.*)")
_TYPE = re.compile(rf"# TYPE ({_NAME}) (counter|gauge|histogram)")
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
_ESCAPE = re.compile(r"\\(.)")

Labels = frozenset[tuple[str, str]]


class FormatError(Exception):
    """The text is not what Prometheus defines; names the line."""


@dataclass(slots=True)
class Family:
    """One metric: its type and every series by sample name and labels."""

    kind: str
    samples: dict[tuple[str, Labels], float] = field(default_factory=dict)

    def value(self, name: str, **labels: str) -> float:
        """The value of one series; an error if there is none."""
        return self.samples[name, frozenset(labels.items())]


def parse(text: str) -> dict[str, Family]:
    """All families of a scrape by name; raises FormatError."""
    if not text.endswith("\n"):
        raise FormatError("the last line has no end")
    families: dict[str, Family] = {}
    helped: str | None = None
    current: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if found := _HELP.fullmatch(line):
            helped = found[1]
        elif found := _TYPE.fullmatch(line):
            if found[1] != helped or found[1] in families:
                raise FormatError(f"line {number}: a type without its help, or twice")
            current = found[1]
            families[current] = Family(found[2])
        elif found := _SAMPLE.fullmatch(line):
            if current is None or not _belongs(found[1], current, families[current].kind):
                raise FormatError(f"line {number}: a sample outside its family")
            key = found[1], _labels(found[2], number)
            if key in families[current].samples:
                raise FormatError(f"line {number}: a series that stands twice")
            families[current].samples[key] = _number(found[3], number)
        else:
            raise FormatError(f"line {number}: no help, type or sample")
    for name, family in families.items():
        if family.kind == "histogram":
            _check_histogram(name, family)
    return families


def _belongs(sample: str, family: str, kind: str) -> bool:
    if kind == "histogram":
        return sample in (f"{family}_bucket", f"{family}_sum", f"{family}_count")
    return sample == family


def _labels(text: str | None, number: int) -> Labels:
    labels: dict[str, str] = {}
    position = 0
    while text and position < len(text):
        found = _LABEL.match(text, position)
        if found is None or found[1] in labels:
            raise FormatError(f"line {number}: labels that cannot be read")
        labels[found[1]] = _ESCAPE.sub(lambda each: "\n" if each[1] == "n" else each[1], found[2])
        position = found.end()
    return frozenset(labels.items())


def _number(text: str, number: int) -> float:
    try:
        return float(text)
    except ValueError:
        raise FormatError(f"line {number}: no number") from None


def _check_histogram(name: str, family: Family) -> None:
    """Buckets grow, end with +Inf, and +Inf is the count."""
    series: dict[Labels, list[tuple[float, float]]] = {}
    for (sample, labels), value in family.samples.items():
        if sample == f"{name}_bucket":
            bounds = dict(labels)
            bound = float(bounds.pop("le"))
            series.setdefault(frozenset(bounds.items()), []).append((bound, value))
    for labels, buckets in series.items():
        counts = [count for _, count in sorted(buckets)]
        if buckets != sorted(buckets) or counts != sorted(counts):
            raise FormatError(f"{name}: buckets that do not grow")
        if buckets[-1][0] != math.inf:
            raise FormatError(f"{name}: no +Inf")
        if family.samples[f"{name}_count", labels] != buckets[-1][1]:
            raise FormatError(f"{name}: +Inf is not the count")
        if (f"{name}_sum", labels) not in family.samples:
            raise FormatError(f"{name}: no sum")

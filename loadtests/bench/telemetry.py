"""Proves that a subject paid for its telemetry: traces arrived, and its metrics were read.

A ratio between two subjects could be met by one whose tracing is off, or drops. So
each visit of a subject with telemetry is held to this: of its calls about one in a
hundred came as a trace, and its metrics count every call.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadtests.bench.results import Exported

SAMPLE_RATIO = 0.01
SHARE_LEAST, SHARE_MOST = 0.0075, 0.0125
"""A visit has 100,000 calls and more: chance explains a tenth of that distance."""
SCRAPE_EVERY_S = 5.0
ANSWER_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Told:
    """What a subject with telemetry says of itself, and under which names."""

    service: str
    """`service.name` of its spans."""
    path: str
    """Of its metrics in the Prometheus text form, at its admin port."""
    counter: str
    """How the lines begin whose sum is the number of calls."""
    histogram: str
    """How the lines of durations begin, of which there have to be some."""


def command(port: int) -> list[str]:
    """Command line of the collector."""
    return [sys.executable, "-m", "loadtests.bench.collector", "--port", str(port)]


class Exports:
    """The collector, as the bench talks to it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def begin(self, told: Told, admin_port: int) -> None:
        """Count from here on, and scrape."""
        url = f"http://127.0.0.1:{admin_port}{told.path}"
        self._post("begin", {"url": url, "every_s": SCRAPE_EVERY_S})

    def rest(self) -> None:
        """One last scrape; the subject may go."""
        self._post("rest", {})

    def seen(self, told: Told, calls: int) -> tuple[Exported, list[str]]:
        """What came, and what does not prove that telemetry was on for `calls`."""
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.port}/bench/seen", timeout=ANSWER_TIMEOUT_S
        ) as answer:
            seen = json.load(answer)
        found = exported(seen, told, calls)
        return found, export_problems(found, seen, told, calls)

    def _post(self, what: str, asked: Mapping[str, Any]) -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/bench/{what}",
            data=json.dumps(asked).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S):
            pass


def exported(seen: Mapping[str, Any], told: Told, calls: int) -> Exported:
    """The collector's words as figures of one subject."""
    traces = seen["traces"].get(told.service, 0)
    return Exported(
        traces=traces,
        trace_share=traces / calls if calls else 0.0,
        spans=seen["spans"].get(told.service, 0),
        trace_exports=seen["exports"].get("traces", 0),
        metric_exports=seen["exports"].get("metrics", 0),
        scrapes=seen["scrapes"],
        page_bytes=len(seen["page"].encode()),
        counted=counted(seen["page"], told.counter),
    )


def counted(page: str, counter: str) -> int:
    """The sum of a counter over its label values."""
    return int(
        sum(float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith(counter))
    )


def export_problems(found: Exported, seen: Mapping[str, Any], told: Told, calls: int) -> list[str]:
    """Why this does not prove that the subject traced 1 % and counted all; empty when it does."""
    problems = []
    if not SHARE_LEAST <= found.trace_share <= SHARE_MOST:
        problems.append(
            f"{found.traces} traces of {calls} calls arrived: {found.trace_share:.2%}"
            f" (needs {SHARE_LEAST:.2%} to {SHARE_MOST:.2%})"
        )
    if seen["failures"]:
        problems.append(f"{seen['failures']} scrapes failed")
    if found.counted < calls:
        problems.append(f"{calls} calls, but its metrics count {found.counted}")
    if not any(line.startswith(told.histogram) for line in seen["page"].splitlines()):
        problems.append(f"no {told.histogram} in its metrics")
    return problems

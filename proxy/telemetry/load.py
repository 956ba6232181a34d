"""What is at work, what waits and what was refused for want of room, as metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from proxy.telemetry.checks import check_lines
from proxy.telemetry.metrics import family

Rows = Sequence[Mapping[str, Any]]


def reporter(**parts: Callable[[], Any]) -> Callable[[], dict[str, Any]]:
    """A report of several parts, each asked when the report is."""
    return lambda: {name: part() for name, part in parts.items()}


def load_lines(load: Mapping[str, Any]) -> Iterator[str]:
    """Lines of the text form, from the report that the admin listener shows as JSON."""
    if not load:
        return
    places: Rows = load["bulkheads"]
    where = ("upstream", "compartment")
    yield from _gauge("tidegate_bulkhead_at_work", "Attempts at work.", places, where, "at_work")
    yield from _gauge("tidegate_bulkhead_limit", "Attempts that may be.", places, where, "limit")
    yield from _gauge("tidegate_bulkhead_waiting", "Calls that wait.", places, where, "waiting")
    refused = [
        ((*_labels(row, where), ("reason", str(reason))), float(count))
        for row in places
        for reason, count in row["refused"].items()
    ]
    yield from family("tidegate_bulkhead_refused_total", "counter",
                      "Attempts refused a place.", refused)  # fmt: skip
    yield from _breakers(load["breakers"])
    yield from check_lines(load.get("checks", ()), load.get("warm", ()))
    in_flight = [((), float(load["admission"]["in_flight"]))]
    yield from family("tidegate_in_flight", "gauge", "Now.", in_flight)
    priorities: Rows = load["admission"]["priorities"]
    by = ("priority",)
    yield from _gauge("tidegate_admission_in_flight", "Calls in flight.", priorities, by,
                      "in_flight")  # fmt: skip
    yield from _gauge("tidegate_admission_below", "Admitted while fewer are in flight.",
                      priorities, by, "admitted_below")  # fmt: skip
    shed = [(_labels(row, by), float(row["refused"])) for row in priorities]
    yield from family("tidegate_admission_refused_total", "counter",
                      "Calls refused before any work.", shed)  # fmt: skip
    behind: Rows = load["background"]
    if behind:
        yield from _gauge("tidegate_background_at_work", "Calls at work behind their answers.",
                          behind, ("route",), "at_work")  # fmt: skip
        ends = [
            ((*_labels(row, ("route",)), ("result", result)), float(row[result]))
            for row in behind
            for result in ("answered", "failed")
        ]
        yield from family("tidegate_background_ended_total", "counter",
                          "Calls that ended behind their answers.", ends)  # fmt: skip
        lost = [(_labels(row, ("route",)), float(row["refused"])) for row in behind]
        yield from family("tidegate_background_refused_total", "counter",
                          "Calls not made behind their answers.", lost)  # fmt: skip


def _breakers(rows: Rows) -> Iterator[str]:
    states = [
        ((*_slice(row), ("state", str(state))), float(row["state"] == state))
        for row in rows
        for state in row["changes"]
    ]
    yield from family("tidegate_breaker_state", "gauge", "1 for the state that it is in.", states)
    for name, key, by, text in (
        ("tidegate_breaker_changes_total", "changes", "to", "Changes of state."),
        ("tidegate_breaker_refused_total", "refused", "reason", "Attempts refused."),
    ):
        counts = [
            ((*_slice(row), (by, str(value))), float(count))
            for row in rows
            for value, count in row[key].items()
        ]
        yield from family(name, "counter", text, counts)
    for key, text in (
        ("would_refuse", "Attempts let through in shadow mode alone."),
        ("throttled", "Attempts let through as the last way out."),
    ):
        passed = [(_slice(row), float(row[key])) for row in rows]
        yield from family(f"tidegate_breaker_{key}_total", "counter", text, passed)
    shares = [(_slice(row), float(row["share"])) for row in rows]
    yield from family("tidegate_breaker_failing_share", "gauge",
                      "Of the calls that the state goes by.", shares)  # fmt: skip


def _slice(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Whose figures these are; a narrow slice has one label more."""
    labels = _labels(row, ("upstream", "compartment"))
    return (*labels, ("part", str(row["part"]))) if row["part"] else labels


def _gauge(name: str, text: str, rows: Rows, labels: tuple[str, ...], key: str) -> Iterator[str]:
    samples = [(_labels(row, labels), float(row[key])) for row in rows]
    yield from family(name, "gauge", text, samples)


def _labels(row: Mapping[str, Any], names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(row[name])) for name in names)

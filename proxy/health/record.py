"""PURE. An incident as a document, as Markdown, and back: the facts of a post-mortem."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from proxy.health.incident import Incident

SCHEMA = 1
_IMPACT = ("calls_failed", "calls_in_doubt", "calls_moved", "payments_failed",
           "payments_in_doubt", "payments_moved")  # fmt: skip


def document(each: Incident) -> dict[str, Any]:
    """The incident as JSON; times in seconds since 1970."""
    return {
        "id": each.id,
        "state": "open" if each.ended_at is None else "closed",
        "partner": each.partners[0] if len(each.partners) == 1 else None,
        "partners": list(each.partners),
        "upstreams": list(each.upstreams),
        "slices": list(each.slices),
        "phase": each.phase,
        "kind": each.kind,
        "reason": each.reason,
        "origin": each.origin,
        "confidence": each.confidence,
        "sentence": each.sentence,
        "evidence": list(each.evidence),
        "since": each.since,
        "opened_at": each.opened_at,
        "named_after_s": each.named_after_s,
        "ended_at": each.ended_at,
        "bad": each.bad,
        "calls": each.calls,
        "impact": dict(zip(_IMPACT, each.impact, strict=True)),
        "moved_to": dict(each.moved_to),
        "part_of": each.part_of or None,
        "timeline": [{"at": at, "what": what, "words": words} for at, what, words in each.timeline],
    }


def read(found: Mapping[str, Any]) -> Incident:
    """The incident that a document is of. Raises KeyError, TypeError or ValueError for no such."""
    impact = found["impact"]
    a, b, c, d, e, f = (int(impact[name]) for name in _IMPACT)
    ended_at = found["ended_at"]
    return Incident(
        str(found["id"]),
        tuple(str(name) for name in found["partners"]),
        tuple(str(name) for name in found["upstreams"]),
        tuple(str(name) for name in found["slices"]),
        str(found["phase"]),
        str(found["kind"]),
        str(found["reason"]),
        str(found["origin"]),
        str(found["confidence"]),
        str(found["sentence"]),
        [str(line) for line in found["evidence"]],
        since=float(found["since"]),
        opened_at=float(found["opened_at"]),
        named_after_s=float(found["named_after_s"]),
        ended_at=None if ended_at is None else float(ended_at),
        bad=int(found["bad"]),
        calls=int(found["calls"]),
        impact=(a, b, c, d, e, f),
        moved_to={str(name): int(count) for name, count in found["moved_to"].items()},
        timeline=[
            (float(line["at"]), str(line["what"]), str(line["words"])) for line in found["timeline"]
        ],
        part_of=str(found["part_of"] or ""),
    )


def markdown(each: Incident) -> str:
    """The facts of a post-mortem; causes and actions are for people."""
    ended = "goes on" if each.ended_at is None else _moment(each.ended_at)
    rows = [
        ("partner", ", ".join(each.partners)),
        ("slice", "; ".join(each.slices)),
        ("phase", each.phase),
        ("reason", each.reason),
        ("origin", each.origin),
        ("confidence", each.confidence),
        ("first bad event", _moment(each.since)),
        ("named", f"{_moment(each.opened_at)} (after {each.named_after_s:.1f} s)"),
        ("end", ended),
        ("duration", _duration(each)),
    ]
    lines = [f"# Incident {each.id}", "", each.sentence, "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows]
    lines += ["", "## Impact", "", "| | calls | of them payments |", "|---|---|---|"]
    for at, name in enumerate(("failed", "in doubt", "moved to another upstream")):
        lines.append(f"| {name} | {each.impact[at]} | {each.impact[at + 3]} |")
    if each.moved_to:
        moved = ", ".join(f"{name} ({count})" for name, count in each.moved_to.items())
        lines += ["", f"Used instead: {moved}."]
    lines += ["", "## Timeline", "", "| time | event | |", "|---|---|---|"]
    lines += [f"| {_moment(at)} | {what} | {_cell(words)} |" for at, what, words in each.timeline]
    lines += ["", "## Evidence", "", *(f"- {line}" for line in each.evidence), ""]
    return "\n".join(lines)


def _cell(words: str) -> str:
    """An operator's own words may have the sign that ends a cell, or begins a tag."""
    return words.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _duration(each: Incident) -> str:
    if each.ended_at is None:
        return "-"
    seconds = each.ended_at - each.since
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _moment(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

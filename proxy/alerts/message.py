"""PURE. An alert as a webhook takes it: our own JSON, or a text that Slack and its kin read.

All of it is ours: names of the configuration, fixed words and numbers. Of a call nothing is in it
but the values of dimensions, which cannot hold a card number.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from proxy.model.events import IncidentChanged
from proxy.model.health import Form

SCHEMA = 1
_HEADS = {
    "opened": "Degraded",
    "changed": "Degraded, and now known better",
    "repeated": "Still degraded",
    "closed": "Recovered",
}
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def body(form: Form, event: IncidentChanged, sidecar: str) -> dict[str, Any]:
    """The document to post; `sidecar` says which one speaks."""
    if form is Form.SLACK:
        return {"text": slack_text(event, sidecar)}
    return {"schema": SCHEMA, "source": "tidegate", "sidecar": sidecar, "incident": asdict(event)}


def slack_text(event: IncidentChanged, sidecar: str) -> str:
    """A few lines, the sentence first."""
    head = _HEADS.get(event.change, event.change)
    if event.part_of:
        head = f"Now a part of incident {event.part_of}"
    impact = (
        f"{event.calls_failed} calls failed, {event.calls_in_doubt} in doubt, "
        f"{event.calls_moved} moved"
    )
    who = ", ".join(event.partners)
    lines = [
        f"*{head}: {who}* ({event.phase}, origin {event.origin})",
        event.sentence,
        f"{impact}; incident {event.id}, sidecar {sidecar}",
    ]
    return "\n".join(line.translate(_ESCAPES) for line in lines)

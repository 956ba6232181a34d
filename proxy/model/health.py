"""What the configuration says of verdicts, incidents, silence and alerts, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True)
class HealthLimits:
    """When incidents end, how many are kept, and when a quiet route is a silent one."""

    close_after_s: float = 60.0
    incidents_max: int = 100
    file: Path | None = None
    """Where incidents are kept over a restart."""
    silence: bool = True
    silence_period_s: float = 3600.0
    """The 168th part of a week, unless a replay is in a hurry."""
    silence_calls_min: int = 30
    """Calls in a period that make a route busy."""


class Form(StrEnum):
    """What a webhook takes."""

    JSON = "json"
    SLACK = "slack"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where alerts are sent to; the address holds a credential where Slack's form is spoken."""

    name: str
    url: str = field(repr=False)
    form: Form = Form.JSON
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class AlertLimits:
    """To whom, how often, and how patiently."""

    webhooks: tuple[Webhook, ...] = ()
    repeat_s: float = 3600.0
    """An incident that goes on is told again after so long."""
    timeout_s: float = 5.0
    attempts_max: int = 6
    waiting_max: int = 100
    per_hour_max: int = 60
    """For each webhook."""

"""Settings of incidents, silence and alerts to the plain values that their rooms read."""

from __future__ import annotations

from pathlib import Path

from proxy.model.health import AlertLimits, HealthLimits, Webhook
from proxy.settings.schema import Settings


def health(settings: Settings) -> HealthLimits:
    """When incidents end, what is kept, and when a route is silent."""
    incidents, silence = settings.incidents, settings.silence
    return HealthLimits(
        close_after_s=incidents.close_after_s,
        incidents_max=incidents.kept_max,
        file=incidents_file(settings),
        silence=silence.watch,
        silence_period_s=silence.period_s,
        silence_calls_min=silence.calls_min,
    )


def incidents_file(settings: Settings) -> Path | None:
    """Where it is said, else beside the journal's file."""
    if settings.incidents.file is not None:
        return Path(settings.incidents.file)
    beside = None if settings.journal is None else settings.journal.path
    return None if beside is None else Path(f"{beside}.incidents")


def alerts(settings: Settings) -> AlertLimits:
    """To whom, how often, how patiently."""
    said = settings.alerts
    webhooks = tuple(
        Webhook(
            name,
            each.url.reveal(),
            each.form,
            tuple((header, value.reveal()) for header, value in each.headers.items()),
        )
        for name, each in said.webhooks.items()
    )
    return AlertLimits(
        webhooks, said.repeat_s, said.timeout_s, said.attempts_max, said.waiting_max,
        said.per_hour_max,
    )  # fmt: skip

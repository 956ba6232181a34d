"""When something is an incident, when quiet is silence, and who is told."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from proxy.model.health import Form
from proxy.settings.base import Model, key, required
from proxy.settings.kinds import (
    File,
    HeaderName,
    HeaderValue,
    Name,
)
from proxy.settings.problems import Wrong
from proxy.settings.scalars import duration, flag, one_of, text, whole
from proxy.settings.secret import Secret


def _webhook_url(written: str) -> Secret:
    try:
        parts = urlsplit(written)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("http", "https") or parts.username is not None:
        raise Wrong("is not the address of a webhook", "write https://host/path, without a user")
    if not written.isascii() or not written.isprintable() or " " in written:
        raise Wrong("is not the address of a webhook", "use printable ASCII without blanks")
    return Secret(written)


WebhookUrl = Annotated[Secret, text(_webhook_url, pattern=r"^https?://|\$\{")]
"""Whole it is a credential where its path holds one, as Slack's does."""
WebhookForm = Annotated[Form, one_of({each.value: each for each in Form})]


class Incidents(Model):
    """Records of what degraded."""

    close_after_s: Annotated[float, duration("1s", "1h")] = key(
        "60s", "an incident is over when nothing was wrong for so long", "close_after"
    )
    kept_max: Annotated[int, whole(1, 150)] = key(100, "records kept; the oldest ended ones go")
    file: File | None = key(
        None, "file that keeps them over a restart; unset: beside the journal's"
    )


class Silence(Model):
    """A normally busy route on which nothing comes in."""

    watch: Annotated[bool, flag()] = key(True, "whether silence is an incident")
    period_s: Annotated[float, duration("1s", "1h")] = key(
        "1h", "what is usual is learned for each of 168 of these, a week by default", "period"
    )
    calls_min: Annotated[int, whole(10, 1_000_000)] = key(
        30, "usual calls in a period that make a route busy"
    )


class Webhook(Model):
    """Where alerts go."""

    url: WebhookUrl = required("address that takes a POST", "https://alerts.example/in")
    form: WebhookForm = key("json", "json: our own schema; slack: a text message")
    headers: dict[HeaderName, HeaderValue] = key({}, "headers to send, credentials among them")


class Alerts(Model):
    """Who is told of incidents."""

    webhooks: dict[Name, Webhook] = key({}, "receivers by name")
    repeat_s: Annotated[float, duration("1m", "24h")] = key(
        "1h", "an incident that goes on is told again after so long", "repeat"
    )
    timeout_s: Annotated[float, duration("100ms", "1m")] = key("5s", "for one delivery", "timeout")
    attempts_max: Annotated[int, whole(1, 20)] = key(
        6, "deliveries of one alert, with growing waits"
    )
    waiting_max: Annotated[int, whole(1, 10_000)] = key(
        100, "alerts that wait for one receiver; beyond, the oldest is dropped"
    )
    per_hour_max: Annotated[int, whole(1, 10_000)] = key(
        60, "alerts to one receiver in an hour; beyond, they are dropped and counted"
    )

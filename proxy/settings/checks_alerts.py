"""Mistakes about who is told of incidents."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from proxy.settings.finding import Finding
from proxy.settings.network import is_loopback
from proxy.settings.schema import Settings
from proxy.settings.tree import Loc


def check_alerts(settings: Settings) -> Iterator[Finding]:
    """Credentials in clear text."""
    for name, webhook in settings.alerts.webhooks.items():
        place: Loc = ("alerts", "webhooks", name)
        parts = urlsplit(webhook.url.reveal())
        host = parts.hostname or ""
        if webhook.headers and parts.scheme == "http" and not is_loopback(host):
            yield Finding(
                (*place, "url"),
                "is clear text to another machine, and headers may be credentials",
                "write https://, or leave headers out",
                ((*place, "headers"),),
            )

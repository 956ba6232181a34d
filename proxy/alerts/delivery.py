"""Tells webhooks, one task for each, so that a receiver that hangs delays nobody else.

A receiver that fails is asked again with growing waits, then the alert is given up and
counted. Redirects are not followed, answers are not read, and nothing is logged of an
address or of a header: they may be credentials.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from proxy.alerts.message import body
from proxy.alerts.outbox import Outbox
from proxy.model.events import IncidentChanged
from proxy.model.health import AlertLimits, Webhook

if TYPE_CHECKING:
    import aiohttp

LOOK_S = 0.5
_WAIT_FIRST_S = 1.0
_WAIT_MAX_S = 60.0
Sleep = Callable[[float], Coroutine[Any, Any, None]]


class Receiver:
    """One webhook, what waits for it, and how it went."""

    def __init__(self, webhook: Webhook, limits: AlertLimits) -> None:
        self.webhook = webhook
        self.outbox = Outbox(limits)
        self.delivered = 0
        self.failed = 0
        """Alerts given up."""
        self.trouble = ""
        """Of the last attempt, if it failed."""


class Alerts:
    """`take` changes of incidents; `works` are to run beside the calls."""

    def __init__(
        self,
        limits: AlertLimits,
        now: Callable[[], float],
        sidecar: str,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._limits = limits
        self._now = now
        self._sidecar = sidecar
        self._sleep = sleep
        self.receivers = [Receiver(each, limits) for each in limits.webhooks]

    def take(self, event: IncidentChanged) -> None:
        """One change; it waits for its receivers' tasks."""
        for each in self.receivers:
            each.outbox.take(event, self._now())

    def recall(self, event: IncidentChanged) -> None:
        """One that an earlier run has told, and that goes on."""
        for each in self.receivers:
            each.outbox.recall(event, self._now())

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """What has to run beside the calls."""
        return [self._serve(each) for each in self.receivers]

    def report(self) -> list[dict[str, Any]]:
        """Each receiver by name, with its counts; no address, no header."""
        return [
            {
                "receiver": each.webhook.name,
                "delivered": each.delivered,
                "failed": each.failed,
                "dropped": each.outbox.dropped,
                "waiting": len(each.outbox),
                "trouble": each.trouble,
            }
            for each in self.receivers
        ]

    async def _serve(self, receiver: Receiver) -> None:
        """Tell what is due, one after the other, until it is cancelled."""
        session: aiohttp.ClientSession | None = None
        try:
            while True:
                event = receiver.outbox.due(self._now())
                if event is None:
                    await self._sleep(LOOK_S)
                    continue
                if session is None:
                    session = await _session(self._limits.timeout_s)
                await self._deliver(session, receiver, event)
        finally:
            if session is not None:
                await session.close()

    async def _deliver(
        self, session: aiohttp.ClientSession, receiver: Receiver, event: IncidentChanged
    ) -> None:
        wait_s = _WAIT_FIRST_S
        for attempt in range(self._limits.attempts_max):
            if attempt:
                await self._sleep(wait_s)
                wait_s = min(_WAIT_MAX_S, 2 * wait_s)
            receiver.trouble = await self._post(session, receiver.webhook, event)
            if not receiver.trouble:
                receiver.delivered += 1
                return
        receiver.failed += 1

    async def _post(
        self, session: aiohttp.ClientSession, webhook: Webhook, event: IncidentChanged
    ) -> str:
        """What went wrong, in a word of ours; nothing if it was taken."""
        try:
            async with session.post(
                webhook.url,
                json=body(webhook.form, event, self._sidecar),
                headers=dict(webhook.headers),
                allow_redirects=False,
            ) as answer:
                return "" if 200 <= answer.status < 300 else f"status_{answer.status}"
        except TimeoutError:
            return "timeout"
        except (OSError, ValueError, importlib.import_module("aiohttp").ClientError) as error:
            return type(error).__name__


async def _session(timeout_s: float) -> aiohttp.ClientSession:
    """Aiohttp takes long to import: only when the first alert is told."""
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(None, importlib.import_module, "aiohttp")
    made: aiohttp.ClientSession = found.ClientSession(
        timeout=found.ClientTimeout(total=timeout_s),
        cookie_jar=found.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
    )
    return made

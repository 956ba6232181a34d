"""`proxy.alerts.delivery`: a real receiver is told; one that fails is asked again, then not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from proxy.alerts.delivery import Alerts
from proxy.model.health import AlertLimits, Form, Webhook
from tests.support.incident import incident


class _Receiver:
    """Answers with the statuses it is given, then with 200; keeps what it was told."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.told: list[dict[str, Any]] = []
        self.headers: list[str] = []
        self.hanging = False

    async def handle(self, request: web.Request) -> web.Response:
        if self.hanging:
            await asyncio.sleep(30.0)
        self.headers.append(request.headers.get("Authorization", ""))
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.told.append(await request.json())
        return web.Response(status=status, headers={"Location": "/elsewhere"})


@asynccontextmanager
async def _serving(receiver: _Receiver) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/in", receiver.handle)
    async with TestServer(app) as server:
        yield str(server.make_url("/in"))


async def _run(alerts: Alerts, until: Any) -> None:
    tasks = [asyncio.create_task(work) for work in alerts.works()]
    try:
        async with asyncio.timeout(10.0):
            while not until():
                await asyncio.sleep(0.005)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _no_wait(_: float) -> None:
    await asyncio.sleep(0.001)


def _alerts(*webhooks: Webhook, **over: Any) -> Alerts:
    limits = AlertLimits(webhooks, **over)
    return Alerts(limits, asyncio.get_running_loop().time, "pay-7", _no_wait)


async def test_a_receiver_is_told_with_its_headers_in_its_form() -> None:
    """Our schema to one, a text to the other."""
    plain, slack = _Receiver(), _Receiver()
    async with _serving(plain) as first, _serving(slack) as second:
        alerts = _alerts(
            Webhook("pager", first, Form.JSON, (("Authorization", "Bearer t"),)),
            Webhook("chat", second, Form.SLACK),
        )
        alerts.take(incident())
        await _run(alerts, lambda: all(each.delivered for each in alerts.receivers))
    assert plain.told[0]["incident"]["id"] == "20261121-031207-1"
    assert plain.headers == ["Bearer t"]
    assert slack.told[0]["text"].startswith("*Degraded: acme*")
    assert [row["delivered"] for row in alerts.report()] == [1, 1]


@pytest.mark.parametrize("statuses", [(500,), (429, 503), (302,)])
async def test_a_receiver_that_fails_is_asked_again(statuses: tuple[int, ...]) -> None:
    """Also after a redirect, which is not followed."""
    receiver = _Receiver(*statuses)
    async with _serving(receiver) as url:
        alerts = _alerts(Webhook("pager", url))
        alerts.take(incident())
        await _run(alerts, lambda: receiver.told)
    assert len(receiver.headers) == len(statuses) + 1
    assert len(receiver.told) == 1


async def test_one_that_always_fails_is_given_up_and_counted_with_the_reason() -> None:
    """Then the next alert has its turn."""
    receiver = _Receiver(*[500] * 3)
    async with _serving(receiver) as url:
        alerts = _alerts(Webhook("pager", url), attempts_max=3)
        alerts.take(incident())
        await _run(alerts, lambda: alerts.receivers[0].failed)
    (row,) = alerts.report()
    assert (row["failed"], row["trouble"], row["delivered"]) == (1, "status_500", 0)
    assert url not in str(alerts.report())


async def test_a_receiver_that_hangs_delays_nobody_else() -> None:
    """Each has a task and a timeout of its own."""
    hanging, well = _Receiver(), _Receiver()
    hanging.hanging = True
    async with _serving(hanging) as first, _serving(well) as second:
        alerts = _alerts(Webhook("a", first), Webhook("b", second), timeout_s=0.05, attempts_max=2)
        alerts.take(incident())
        await _run(alerts, lambda: well.told and alerts.receivers[0].failed)
    assert alerts.receivers[0].trouble == "timeout"


async def test_a_receiver_that_is_not_there_is_a_word() -> None:
    """No address in it."""
    alerts = _alerts(Webhook("pager", "http://127.0.0.1:1/in"), attempts_max=1)
    alerts.take(incident())
    await _run(alerts, lambda: alerts.receivers[0].failed)
    assert alerts.receivers[0].trouble == "ClientConnectorError"


def test_a_webhooks_address_and_headers_stay_out_of_its_repr() -> None:
    """Slack's address is a credential."""
    shown = repr(Webhook("chat", "https://hooks.example/secret", Form.SLACK, (("a", "secret"),)))
    assert "secret" not in shown


async def test_what_was_open_before_a_restart_is_told_when_it_ends() -> None:
    """The receiver was told by an earlier run that it had begun."""
    receiver = _Receiver()
    async with _serving(receiver) as url:
        alerts = _alerts(Webhook("pager", url, Form.JSON))
        alerts.recall(incident())
        alerts.take(incident("closed"))
        await _run(alerts, lambda: alerts.receivers[0].delivered)
    assert [each["incident"]["change"] for each in receiver.told] == ["closed"]

"""How each fault is done on the wire; `kinds` says what they take.

A function for the answer stage takes the place of the answer and returns
whether the connection lives on; one for the afterwards stage comes after a
proper answer. Counting happens where a fault takes effect, not where it was
planned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from proxy.sandbox.connection import Connection
from proxy.sandbox.exchange import STAND_IN, Exchange
from proxy.sandbox.message import Answer, wire
from proxy.sandbox.rules import Rule
from proxy.sandbox.stats import Stats
from proxy.sandbox.variants import VARIANTS

REQUEST_TIMEOUT = (
    b"HTTP/1.1 408 Request Timeout\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 8\r\nConnection: close\r\n\r\ntimeout\n"
)

STRAY_NONCE = "stray"
"""The nonce of a second answer nobody asked for: whoever is given it, got another's answer."""


async def _hang(exchange: Exchange, rule: Rule) -> bool:
    exchange.applied(rule)
    await exchange.execute_first(rule)
    await exchange.connection.ended()
    return False


async def _cut_off(exchange: Exchange, rule: Rule, *, reset: bool) -> bool:
    data = exchange.wire(await exchange.execute_first(rule)).encode()
    exchange.applied(rule)
    await exchange.connection.write(data[: rule.params["after_bytes"]])
    await exchange.connection.cut(reset=reset)
    await exchange.execute_late(rule)
    return False


async def _half_answer(exchange: Exchange, rule: Rule) -> bool:
    made = exchange.wire(await exchange.execute_first(rule))
    made.body = made.body[: len(made.body) // 2]
    exchange.applied(rule)
    await exchange.connection.write(made.encode())
    if rule.params["then"] == "stall":
        await exchange.connection.ended()
    else:
        await exchange.connection.cut(reset=False)
    return False


async def _status(exchange: Exchange, rule: Rule) -> bool:
    await exchange.execute_first(rule)
    status: int = rule.params["status"]
    exchange.applied(rule)
    answer = Answer(status, STAND_IN.body) if status >= 400 else Answer(status, {})
    made = exchange.wire(answer)
    if status in (204, 205, 304):
        made = made.without(b"Content-Length").without(b"Content-Type")
        made.body = b""
    await exchange.connection.write(made.encode())
    return exchange.keep_alive


async def _wrong_status(exchange: Exchange, rule: Rule) -> bool:
    made = exchange.wire(await exchange.execute_first(rule))
    exchange.applied(rule)
    await exchange.connection.write(VARIANTS[rule.params["variant"]](made))
    return exchange.keep_alive


async def _eof_body(exchange: Exchange, rule: Rule) -> bool:
    answer = await exchange.execute()
    exchange.keep_alive = False
    made = exchange.wire(answer).without(b"Content-Length")
    exchange.applied(rule)
    await exchange.connection.write(made.encode())
    return False


IN_PLACE: Mapping[str, Callable[[Exchange, Rule], Awaitable[bool]]] = {
    "hang": _hang,
    "reset": partial(_cut_off, reset=True),
    "close": partial(_cut_off, reset=False),
    "half_answer": _half_answer,
    "status": _status,
    "wrong_status": _wrong_status,
    "eof_body": _eof_body,
}


def stray(rule: Rule) -> bytes:
    """The bytes that a stray_bytes rule sends beyond the answer."""
    if rule.params["second_answer"]:
        return wire(Answer(200, {"id": "stray", "status": "succeeded"}), STRAY_NONCE, 0.0).encode()
    text: str = rule.params["bytes"]
    return text.encode()


def afterwards(connection: Connection, stats: Stats, rule: Rule) -> None:
    """Plan what comes after an answer (or, for idle_408, after the connect)."""

    def act(transport: asyncio.Transport) -> None:
        stats.faults[rule.kind] += 1
        if rule.kind == "stray_bytes":
            transport.write(stray(rule))
            return
        if rule.kind == "idle_408":
            transport.write(REQUEST_TIMEOUT)
        connection.force_close()

    writes = rule.kind != "early_close"
    connection.when_idle(rule.params["delay_ms"] / 1000, act, considerate=writes)

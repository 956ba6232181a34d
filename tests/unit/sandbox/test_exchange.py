"""Rules for the pace of an exchange and for when it executes."""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from proxy.sandbox.connection import Connection
from proxy.sandbox.endpoints import Endpoints, Work
from proxy.sandbox.exchange import OVERLOADED, STAND_IN, Exchange
from proxy.sandbox.message import Answer, PartnerRequest
from proxy.sandbox.options import PartnerOptions
from proxy.sandbox.rules import Plan, Rule, read_rules
from proxy.sandbox.stats import Stats


class Executing:
    """A partner that counts how often it executed."""

    def __init__(self) -> None:
        self.endpoints = Endpoints([])
        self.executed = 0

    async def answer(self, request: PartnerRequest, work: Work) -> Answer:
        """Execute."""
        await work()
        self.executed += 1
        return Answer(200, {"id": "x"})


def exchange(
    reference: str = "r", *, p50_ms: float = 0, seed: int = 1, pace: Rule | None = None
) -> tuple[Exchange, Executing]:
    """An exchange of a connection whose request came long ago, so that nobody waits."""
    partner = Executing()
    options = PartnerOptions("acquirer", "a", 0, 0, Path("l"), latency_p50_ms=p50_ms, seed=seed)
    asked = PartnerRequest("POST", "/payments", {}, {"reference": reference}, "authorize", "n")
    connection = cast(Connection, SimpleNamespace(received_at=-1e9))
    return Exchange(
        partner, options, Stats(), connection, asked, Plan(pace=pace), keep_alive=True
    ), partner


def rule(**members: Any) -> Rule:
    """One rule."""
    return read_rules([members])[0]


def test_the_same_request_has_the_same_latency_whatever_came_before() -> None:
    """Latency depends on seed and reference; over many requests its median is the one asked for."""
    paces = {f"r{n}": exchange(f"r{n}", p50_ms=40)[0].pace() for n in range(1_000)}
    assert exchange("r7", p50_ms=40)[0].pace() == paces["r7"]
    assert exchange("r7", p50_ms=40, seed=2)[0].pace() != paces["r7"]
    assert statistics.median(before for before, _ in paces.values()) == pytest.approx(0.04, rel=0.1)


def test_slow_adds_or_multiplies_before_or_after_the_execution() -> None:
    """By default the partner is slow and then executes; the other way round if the rule says so."""
    usual, _ = exchange(p50_ms=40)[0].pace()
    slow, lost = exchange(p50_ms=40, pace=rule(kind="slow", delay_ms=500))[0].pace()
    assert slow == pytest.approx(usual + 0.5)
    assert lost == 0
    tenfold, _ = exchange(p50_ms=40, pace=rule(kind="slow", factor=10))[0].pace()
    assert tenfold == pytest.approx(usual * 10)
    late = rule(kind="slow", delay_ms=500, execute="before")
    assert exchange(p50_ms=40, pace=late)[0].pace() == (usual, 0.5)


async def test_one_worker_serves_one_request_at_a_time() -> None:
    """The second begins when the first has ended; a third finds no room, and nothing ran."""
    first, partner = exchange("a")
    first.workers.limit(1, 1)
    others = [replace(first, request=replace(first.request, nonce=n)) for n in ("b", "c")]
    assert await first.workers.take()
    second = asyncio.create_task(others[0].execute())
    await asyncio.sleep(0)
    assert await others[1].execute() is OVERLOADED
    assert partner.executed == 0
    first.workers.leave()
    assert (await second).status == 200
    assert (partner.executed, first.workers.at_work) == (1, 0)


@pytest.mark.parametrize(
    ("execute", "at_first", "in_the_end"), [("before", 1, 1), ("after", 0, 1), ("never", 0, 0)]
)
async def test_a_fault_executes_when_its_rule_says(
    execute: str, at_first: int, in_the_end: int
) -> None:
    """Before, after or never; without an execution there is only the stand-in to write."""
    made, partner = exchange()
    reset = rule(kind="reset", execute=execute)
    answer = await made.execute_first(reset)
    assert partner.executed == at_first
    assert (answer is STAND_IN) == (at_first == 0)
    await made.execute_late(reset)
    assert partner.executed == in_the_end


def test_an_answer_says_close_only_when_the_peer_does_not_keep_alive() -> None:
    """The connection option follows what the peer asked for."""
    made, _ = exchange()
    assert (b"Connection", b"close") not in made.wire(STAND_IN).headers
    made.keep_alive = False
    assert (b"Connection", b"close") in made.wire(STAND_IN).headers

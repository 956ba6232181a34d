"""`proxy.routing.orders`: what operators say is in force, and answered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from proxy.model.standing import Kind, Why
from proxy.routing import kept
from proxy.routing.orders import TEND_S
from tests.unit.routing.running import HOUR, Run


async def test_an_order_is_in_force_and_answered_with_what_it_does(tmp_path: Path) -> None:
    """When, until when, by whom and why."""
    run = Run(tmp_path / "o")
    status, found = await run.orders.force("charges", "b", HOUR)
    wall = run.clock.wall()
    assert (status, run.now()) == (200, ["b"])
    assert found == {
        "schema": 1, "refused": [], "kept": True, "trouble": "",
        "override": {
            "kind": "force", "route": "charges", "upstream": "b", "reason": "maintenance",
            "by": "ann", "since": wall, "until": wall + 3600.0, "remaining_s": 3600.0,
        },
    }  # fmt: skip


async def test_routes_that_refuse_from_now_on_are_named(tmp_path: Path) -> None:
    """Whoever drains the last upstream should hear of it."""
    run = Run(tmp_path / "o")
    assert (await run.orders.drain("a", HOUR))[1]["refused"] == []
    assert (await run.orders.drain("b", HOUR))[1]["refused"] == ["charges"]
    assert (await run.orders.release(Kind.DRAIN, "a"))[1]["refused"] == []


@pytest.mark.parametrize(
    ("order", "reason", "known"),
    [
        (("force", "nowhere", "a"), "no_route", ["charges", "refunds"]),
        (("force", "charges", "x"), "no_candidate", ["a", "b"]),
        (("force", "charges", "a"), "drained", ["b"]),
        (("drain", "x"), "no_upstream", ["a", "b"]),
        (("release", Kind.DRAIN, "b"), "no_override", ["a"]),
        (("release", Kind.FORCE, "charges"), "no_override", []),
    ],
)
async def test_a_refused_order_changes_nothing_and_says_what_there_is(
    order: tuple[Any, ...], reason: str, known: list[str]
) -> None:
    """The names that would be right stand in the answer."""
    run = Run(None)
    await run.orders.drain("a", HOUR)
    what, *given = order
    why = () if what == "release" else (HOUR,)
    status, found = await getattr(run.orders, what)(*given, *why)
    assert (status, found["reason"], found["known"]) == (
        409 if reason == "drained" else 404, reason, known,
    )  # fmt: skip
    assert (run.now(), len(run.told)) == (["b"], 1)


async def test_what_follows_a_payment_may_be_forced_to_a_drained_upstream() -> None:
    """A drain does not count there."""
    run = Run(None)
    await run.orders.drain("a", HOUR)
    assert (await run.orders.force("refunds", "a", HOUR))[0] == 200


async def test_the_report_shows_the_file_and_the_difference() -> None:
    """Each route by both, and every order."""
    run = Run(None)
    await run.orders.drain("a", HOUR)
    run.clock.advance(600.0)
    found = run.orders.tell()
    assert found["routes"] == [
        {"route": "charges", "operation": "authorize", "candidates": ["a", "b"], "now": ["b"]},
        {"route": "refunds", "operation": "refund", "candidates": ["a"], "now": ["a"]},
    ]
    (drain,) = found["overrides"]
    assert (drain["kind"], drain["route"], drain["remaining_s"]) == ("drain", None, 3000.0)
    assert drain["until"] == run.clock.wall() + 3000.0
    assert (found["schema"], found["kept"]) == (1, False)
    assert "admin.overrides" in found["trouble"]


async def test_an_order_ends_by_itself_and_leaves_the_file(tmp_path: Path) -> None:
    """Looked at every second, for as long as the sidecar runs."""
    path = tmp_path / "o"
    run = Run(path)
    await run.orders.drain("a", Why("r", "b", 60.0))
    rounds = 0

    async def sleep(seconds: float) -> None:
        nonlocal rounds
        rounds += 1
        run.clock.advance(seconds)
        if rounds > 60:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await run.orders.run(sleep)
    assert (TEND_S, run.now(), kept.read(path)) == (1.0, ["a", "b"], [])
    assert [each.change for each in run.told] == ["set", "expired"]

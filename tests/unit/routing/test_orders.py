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


async def test_an_isolation_is_told_to_the_breakers_and_taken_back() -> None:
    """It leaves the candidates as they are, for it is the breaker that refuses."""
    run = Run(None)
    held: list[tuple[str, float | None]] = []
    run.overrides.hold = lambda name, said: held.append((name, said.ends_at if said else None))
    status, found = await run.orders.isolate("a", HOUR)
    assert (status, found["override"]["kind"], found["override"]["route"]) == (200, "isolate", None)
    assert found["refused"] == ["refunds"]
    assert (run.now(), run.overrides.isolated("a")) == (["a", "b"], True)
    assert (await run.orders.release(Kind.ISOLATE, "a"))[0] == 200
    assert held == [("a", run.clock.now() + 3600.0), ("a", None)]
    assert [each.change for each in run.told] == ["set", "released"]


async def test_an_isolation_that_runs_out_is_for_the_breaker_to_end() -> None:
    """It knows the instant, and goes on into half-open instead of trusting at once."""
    run = Run(None)
    held: list[str] = []
    run.overrides.hold = lambda name, _: held.append(name)
    await run.orders.isolate("a", HOUR)
    run.clock.advance(3600.0)
    await run.orders.tend()
    assert (held, run.overrides.standing()) == (["a"], [])


async def test_an_isolation_outlives_a_restart(tmp_path: Path) -> None:
    """Like every word of an operator."""
    run = Run(tmp_path / "o")
    await run.orders.isolate("b", HOUR)
    again = Run(tmp_path / "o", run.clock)
    assert again.overrides.isolated("b")


async def test_what_cannot_be_held_open_is_not_called_isolated() -> None:
    """An upstream whose breaker is off would go on being called; those that can are named."""
    run = Run(None)
    run.overrides.holds = lambda name: name == "b"
    status, found = await run.orders.isolate("a", HOUR)
    assert (status, found["reason"], found["known"]) == (409, "no_breaker", ["b"])
    assert (await run.orders.isolate("x", HOUR))[1]["reason"] == "no_upstream"
    await run.orders.isolate("b", HOUR)
    status, found = await run.orders.force("charges", "b", HOUR)
    assert (status, found["reason"], found["known"]) == (409, "isolated", ["a"])

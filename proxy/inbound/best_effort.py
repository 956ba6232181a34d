"""Best-effort calls whose callers do not wait: answered at once, and made behind the answer.

Those that do wait need nothing here: the budget is their deadline, and what comes
of a call that nobody may wait for is written in the reply table (pipeline/rescue.py).

A call made behind the answer is bounded in number for each route, and in time by its
route's deadline. Nothing is remembered of it: what cannot be sent is lost, and counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from proxy.model.call import Call
from proxy.model.outcome import Execution, InDoubt, Origin, Outcome, Refused
from proxy.model.phase import Phase
from proxy.model.route import Route
from proxy.pipeline.layer import Handler, Layer, Ready


class Background:
    """The calls at work behind their answers; `failed` hears of a bug in one."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._tasks: dict[str, set[asyncio.Task[Outcome]]] = {}
        self._refused: dict[str, int] = {}

    def layer(self) -> Layer:
        """The layer; every other call passes through."""

        def layer(inner: Handler) -> Handler:
            def handle(call: Call) -> Awaitable[Outcome]:
                route = call.route
                assert route is not None
                if route.best_effort is None or route.best_effort.wait:
                    return inner(call)
                return Ready(self._begin(call, route, route.best_effort.at_work_max, inner))

            return handle

        return layer

    def _begin(self, call: Call, route: Route, at_work_max: int, inner: Handler) -> Outcome:
        tasks = self._tasks.setdefault(route.name, set())
        if len(tasks) >= at_work_max:
            self._refused[route.name] = self._refused.get(route.name, 0) + 1
            return Refused(
                "background_full",
                503,
                f"{len(tasks)} calls of {route.name} are at work behind their answers, as many "
                "as may.",
                Origin.PROXY,
            )
        task = asyncio.ensure_future(inner(call))
        tasks.add(task)
        task.add_done_callback(lambda ended: self._ended(tasks, ended))
        first = route.candidates[0].upstream
        return InDoubt(
            first.partner, first.name, Phase.QUEUE, "in_background", Origin.PROXY, Execution.UNKNOWN
        )

    def _ended(self, tasks: set[asyncio.Task[Outcome]], ended: asyncio.Task[Outcome]) -> None:
        tasks.discard(ended)
        error = None if ended.cancelled() else ended.exception()
        if error is not None:
            self._failed(error)

    async def drain(self, within_s: float) -> None:
        """Let what is at work end, bounded in time; the rest is cut."""
        tasks = {task for at_route in self._tasks.values() for task in at_route}
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=within_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def report(self) -> list[dict[str, Any]]:
        """By route, of those that have had such a call."""
        return [
            {"route": route, "at_work": len(tasks), "refused": self._refused.get(route, 0)}
            for route, tasks in self._tasks.items()
        ]

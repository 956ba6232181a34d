"""Best-effort calls whose callers do not wait: answered at once, and made behind the answer.

Those that do wait need nothing here: the budget is their deadline, and what comes
of a call that nobody may wait for is written in the reply table (pipeline/rescue.py).

A call made behind the answer is bounded in number for each route, and in time by its
route's deadline. Nothing is remembered of it: its log line is the reply's, and how it
ended is counted here, and its attempts as all others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from proxy.model.call import Call
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused
from proxy.model.phase import Phase
from proxy.model.route import Route
from proxy.pipeline.layer import Handler, Layer, Ready

_SERVER_ERROR = 500


@dataclass(slots=True)
class _Behind:
    """The calls of one route."""

    tasks: set[asyncio.Task[Outcome]] = field(default_factory=set)
    refused: int = 0
    answered: int = 0
    failed: int = 0


class Background:
    """The calls at work behind their answers; `failed` hears of a bug in one."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._routes: dict[str, _Behind] = {}

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
        behind = self._routes.get(route.name)
        if behind is None:
            behind = self._routes[route.name] = _Behind()
        if len(behind.tasks) >= at_work_max:
            behind.refused += 1
            return Refused(
                "background_full",
                503,
                f"{len(behind.tasks)} calls of {route.name} are at work behind their answers, "
                "as many as may.",
                Origin.PROXY,
            )
        task = asyncio.ensure_future(inner(call))
        behind.tasks.add(task)
        task.add_done_callback(lambda ended: self._ended(behind, ended))
        first = route.candidates[0].upstream
        return InDoubt(
            first.partner, first.name, Phase.QUEUE, "in_background", Origin.PROXY, Execution.UNKNOWN
        )

    def _ended(self, behind: _Behind, ended: asyncio.Task[Outcome]) -> None:
        behind.tasks.discard(ended)
        error = None if ended.cancelled() else ended.exception()
        if error is not None:
            self._failed(error)
        if not ended.cancelled() and error is None and _is_answer(ended.result()):
            behind.answered += 1
        else:
            behind.failed += 1

    async def drain(self, within_s: float) -> None:
        """Let what is at work end, bounded in time; the rest is cut."""
        tasks = {task for behind in self._routes.values() for task in behind.tasks}
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=within_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def report(self) -> list[dict[str, Any]]:
        """By route, of those that have had such a call."""
        return [
            {
                "route": route,
                "at_work": len(behind.tasks),
                "refused": behind.refused,
                "answered": behind.answered,
                "failed": behind.failed,
            }
            for route, behind in self._routes.items()
        ]


def _is_answer(outcome: Outcome) -> bool:
    return isinstance(outcome, Answered) and outcome.response.status < _SERVER_ERROR

"""Takes what operators say about routes and upstreams, answers, and keeps it on the disk.

It is in force before it is written: an operator who drains an upstream while the
disk is full must be heard. Whether a restart would know it stands in every
answer, and a write that failed is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from proxy.model.checked_file import FileError
from proxy.model.clock import Clock
from proxy.model.standing import Kind, Override, Why
from proxy.routing import kept
from proxy.routing.described import described, report
from proxy.routing.kept import Kept
from proxy.routing.overrides import Overrides, names

SCHEMA = 1
TEND_S = 1.0
"""How late an end may come."""
_WRITE_AGAIN_S = 10.0
_WRITE_EVERY_S = 600.0
"""Its instants are wall time, and that may have jumped."""
_ANSWER_WITHIN_S = 2.0
"""A disk that hangs makes nobody wait for longer to hear that the word is in force."""
_NO_FILE = "a restart forgets it: configure `admin.overrides`"
_PROBLEMS = {
    "no_route": (404, "There is no such route."),
    "no_upstream": (404, "There is no such upstream."),
    "no_candidate": (404, "The upstream is no candidate of this route."),
    "no_override": (404, "Nothing stands for this name; `known` has those for which there is."),
    "no_breaker": (409, "It has no breaker to hold open: it is off, or no route leads there."),
    "isolated": (409, "The upstream is isolated; release it first, or force another candidate."),
    "drained": (409, "The upstream is drained; release it first, or force another candidate."),
}

Answer = tuple[int, dict[str, Any]]


class Orders:
    """`path` is where they are kept; None: nowhere."""

    def __init__(self, overrides: Overrides, path: Path | None, clock: Clock) -> None:
        self._overrides = overrides
        self._path = path
        self._clock = clock
        self._writing = asyncio.Lock()
        self._writes: set[asyncio.Future[None]] = set()
        """For orders that were given and are not on the disk yet."""
        self._unwritten = False
        self._write_at = 0.0
        self.trouble = _NO_FILE if path is None else ""
        """Why a restart would not know what stands, or nothing."""

    # -- what operators ask ----------------------------------------------------------

    def tell(self) -> dict[str, Any]:
        """The document served at /routes."""
        return report(self._overrides, self._clock.wall()) | self._keeping()

    async def force(self, route: str, upstream: str, why: Why) -> Answer:
        """New calls of the route go there and nowhere else."""
        found = self._overrides.routes.get(route)
        if found is None:
            return _problem("no_route", self._overrides.routes)
        candidates = names(found.candidates)
        if upstream not in candidates:
            return _problem("no_candidate", candidates)
        if self._overrides.drained(upstream) and not found.follows:
            return _problem("drained", [each for each in candidates if each != upstream])
        if self._overrides.isolated(upstream):
            return _problem("isolated", [each for each in candidates if each != upstream])
        return await self._set(Kind.FORCE, route, upstream, why)

    async def drain(self, upstream: str, why: Why) -> Answer:
        """New payments go there no more."""
        if upstream not in self._overrides.upstreams:
            return _problem("no_upstream", self._overrides.upstreams)
        return await self._set(Kind.DRAIN, "", upstream, why)

    async def isolate(self, upstream: str, why: Why) -> Answer:
        """Nothing goes to this upstream."""
        if upstream not in self._overrides.upstreams:
            return _problem("no_upstream", self._overrides.upstreams)
        if not self._overrides.holds(upstream):
            return _problem("no_breaker", filter(self._overrides.holds, self._overrides.upstreams))
        return await self._set(Kind.ISOLATE, "", upstream, why)

    async def release(self, kind: Kind, name: str) -> Answer:
        """The file counts again."""
        found = self._overrides.release(kind, name)
        if found is None:
            standing = self._overrides.standing()
            return _problem("no_override", [each.name for each in standing if each.kind is kind])
        return await self._kept(found)

    async def _set(self, kind: Kind, route: str, upstream: str, why: Why) -> Answer:
        made = Override(
            kind, route, upstream, why.reason, why.by, self._clock.wall(), why.lasts_s,
            self._clock.now() + why.lasts_s,
        )  # fmt: skip
        self._overrides.add(made)
        return await self._kept(made)

    async def _kept(self, each: Override) -> Answer:
        write = asyncio.ensure_future(self._write())
        self._writes.add(write)
        write.add_done_callback(self._writes.discard)
        await asyncio.wait((write,), timeout=_ANSWER_WITHIN_S)
        shown = described(each, self._overrides.left_s(each), self._clock.wall())
        document = {"override": shown, "refused": self._overrides.nowhere()}
        return 200, {"schema": SCHEMA, **document, **self._keeping()}

    def _keeping(self) -> dict[str, Any]:
        late = any(not write.done() for write in self._writes)
        trouble = self.trouble or (f"{self._path} is still being written" if late else "")
        return {"kept": not trouble, "trouble": trouble}

    # -- the disk --------------------------------------------------------------------

    def recall(self) -> tuple[str, ...]:
        """What an earlier run was told; notes for whoever starts this one."""
        if self._path is None:
            return ()
        try:
            found = kept.read(self._path)
        except FileError as error:
            self.trouble = f"{error}: what operators said before the restart is not in force"
            return (f"the file of overrides {self.trouble}",)
        return tuple(self._recalled(each) for each in found)

    def _recalled(self, each: Kept) -> str:
        left_s = min(each.until - self._clock.wall(), each.lasts_s)
        made = Override(
            each.kind, each.route, each.upstream, each.reason, each.by, each.since, each.lasts_s,
            self._clock.now() + left_s,
        )  # fmt: skip
        told = f"{made.kind} of {made.name}" + (f" to {made.upstream}" if made.route else "")
        if not self._overrides.knows(made):
            return self._not_again("dropped", made, f"{told}: the configuration has no such names")
        if left_s <= 0:
            return self._not_again("expired", made, f"{told} has ended while no sidecar ran")
        self._overrides.add(made, "restored")
        return f"{told} is in force for {left_s:.0f} s more: {made.reason} ({made.by})"

    def _not_again(self, change: str, made: Override, note: str) -> str:
        self._unwritten = True
        self._overrides.say(change, made)
        return note

    async def run(self, sleep: Callable[[float], Any] = asyncio.sleep) -> None:
        """End what is over, until it is cancelled."""
        while True:
            await sleep(TEND_S)
            await self.tend()

    async def tend(self) -> None:
        """End what is over; write what is not written, and now and then all of it."""
        ended = self._overrides.expire()
        due = self._clock.now() >= self._write_at
        if ended or (due and (self._unwritten or self._overrides.standing())):
            await self._write()

    async def _write(self) -> None:
        """Now. A disk that cannot take it is told, and asked again."""
        self._unwritten = True
        if self._path is None:
            return
        async with self._writing:
            if not self._unwritten:
                return  # whoever wrote meanwhile had ours among them
            self._unwritten, orders = False, self._by_wall()
            loop = asyncio.get_running_loop()
            try:
                await loop.run_in_executor(None, kept.write, self._path, orders)
            except FileError as error:
                self._unwritten, self.trouble = True, str(error)
            else:
                self.trouble = ""
            wait_s = _WRITE_AGAIN_S if self._unwritten else _WRITE_EVERY_S
            self._write_at = self._clock.now() + wait_s

    def _by_wall(self) -> Sequence[Kept]:
        wall = self._clock.wall()
        return [
            Kept(
                each.kind, each.route, each.upstream, each.reason, each.by, each.since,
                wall + self._overrides.left_s(each), each.lasts_s,
            )
            for each in self._overrides.standing()
        ]  # fmt: skip


def _problem(reason: str, known: Iterable[str]) -> Answer:
    """A refusal in the form of RFC 9457, with the names that there are."""
    status, detail = _PROBLEMS[reason]
    return status, {"status": status, "reason": reason, "detail": detail, "known": sorted(known)}

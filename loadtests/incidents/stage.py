"""What a replay is played on: real processes in a directory of their own, all ended afterwards."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from loadtests.incidents.checker import Execution
from loadtests.incidents.driver import Driver, Target
from loadtests.incidents.history import History
from loadtests.incidents.journals import STORES, JournalUnderTest
from loadtests.incidents.metrics import Admin
from loadtests.incidents.mortal import TIDEGATE, MortalSidecar
from loadtests.incidents.payments import Payment
from loadtests.incidents.process import Process
from loadtests.incidents.progress import Progress
from loadtests.incidents.schedule import PlannedCall
from proxy.sandbox.client import SandboxPartner

LATENCY_P50_MS = 50.0
LATENCY_SIGMA = 0.4
"""The partner that every latency bar is read against."""

_T = TypeVar("_T")
_READY_S = 15.0
_READY_LINE = r"^tidegate ready: payments (http://\S+) admin (http://\S+)$"
_LEAD_S = 0.2
"""Between building a schedule and its first call, so that no call is late from the start."""


class Drives(Protocol):
    """Whatever makes the calls of a schedule and fills in their history."""

    @property
    def in_flight(self) -> int:
        """How many calls are due and have not ended."""

    async def run(self, path: Target, calls: Sequence[PlannedCall], history: History) -> None:
        """Make `calls`, and wait until each has ended."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """The running sidecar process and where it listens."""

    process: Process
    payments_url: str
    admin: Admin


class Stage:
    """Starts partners, the sidecar and drivers; `async with` ends them in reverse order.

    Everything they write (configuration, logs, ledgers, histories) lies in
    `directory`, which the runner removes unless it is asked to keep it.
    """

    def __init__(self, directory: Path, progress: Progress) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._progress = progress
        self._exits = AsyncExitStack()
        self._partners: list[SandboxPartner] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._exits.aclose()

    async def partner(
        self,
        name: str,
        kind: str,
        seed: int,
        latency_p50_ms: float = LATENCY_P50_MS,
        latency_sigma: float = LATENCY_SIGMA,
        **options: Any,
    ) -> SandboxPartner:
        """A ready sandbox partner whose own time is log-normal and the same for the same seed."""
        partner = await asyncio.to_thread(
            SandboxPartner.start,
            kind,
            name,
            ledger=self.directory / f"ledger-{name}.jsonl",
            latency_p50_ms=latency_p50_ms,
            latency_sigma=latency_sigma,
            seed=seed,
            **options,
        )
        self._exits.callback(partner.stop)
        self._partners.append(partner)
        return partner

    async def sidecar(self, config: Mapping[str, Any]) -> Sidecar:
        """The real `tidegate run` process on `config`, ready to take calls."""
        path = self.directory / "tidegate.yaml"
        path.write_text(json.dumps(config, indent=2), encoding="utf-8")
        command = [sys.executable, "-m", "proxy", "run", "--config", str(path)]
        process = self.process("sidecar", command)
        ready = await process.line(_READY_LINE, process.err_path, _READY_S)
        admin = Admin(ready[2])
        self._exits.push_async_callback(admin.close)
        return Sidecar(process, ready[1], admin)

    def process(self, name: str, command: Sequence[str]) -> Process:
        """Another program, ended with everything else."""
        process = Process(name, command, self.directory)
        self._exits.push_async_callback(process.stop)
        return process

    async def journal(self, store: str) -> JournalUnderTest:
        """The journal of that name, empty."""
        journal = await asyncio.to_thread(STORES[store], self.directory)
        self._exits.callback(journal.close)
        return journal

    def mortal(
        self, config: Mapping[str, Any], command: Sequence[str] = TIDEGATE, name: str = "sidecar"
    ) -> MortalSidecar:
        """A sidecar to be killed and started again; it is not started yet."""
        sidecar = MortalSidecar(self.directory, config, command, name)
        self._exits.push_async_callback(sidecar.stop)
        return sidecar

    async def enter(self, context: AbstractAsyncContextManager[_T]) -> _T:
        """Enter a context that is left with everything else."""
        return await self._exits.enter_async_context(context)

    async def driver(self, url: str, give_up_s: float) -> Driver:
        """The application, with connections to the sidecar at `url`."""
        driver = Driver(url, give_up_s=give_up_s)
        self._exits.push_async_callback(driver.close)
        return driver

    @asynccontextmanager
    async def load(
        self, driver: Drives, path: Target, calls: Sequence[PlannedCall], label: str
    ) -> AsyncIterator[Running]:
        """Drive `calls` in the background; at the end of the block wait until each has ended."""
        starts_at = time.monotonic() + _LEAD_S
        running = Running(starts_at, History.planned(calls, starts_at))
        seconds = calls[-1].offset_s + _LEAD_S

        def figure() -> str:
            return f"{driver.in_flight} calls in flight"

        async with self._progress.watching(label, seconds, figure):
            task = asyncio.create_task(driver.run(path, calls, running.history))
            try:
                yield running
                await task
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._keep(running.history, label)

    def _keep(self, history: History, label: str) -> None:
        """Write what the application saw beside the ledgers, for whoever keeps the directory."""
        path = self.directory / f"history-{label.replace(' ', '-')}.jsonl"
        lines = [json.dumps(event) for event in history.events()]
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")

    def keep_payments(self, payments: Iterable[Payment]) -> None:
        """Write what callers were told beside the ledgers, for whoever keeps the directory."""
        path = self.directory / "payments.jsonl"
        path.write_text("".join(payment.line() for payment in payments), encoding="utf-8")

    def executions(self) -> list[Execution]:
        """What all partners have executed so far."""
        return [
            Execution(
                partner=partner.name,
                operation=row["operation"],
                reference=row["reference"],
                nonce=row["nonce"],
                amount=row["amount"],
            )
            for partner in self._partners
            for row in partner.ledger()
        ]


@dataclass(frozen=True, slots=True)
class Running:
    """A load under way: its history fills in place, on the timeline that began at `starts_at`."""

    starts_at: float
    history: History

    async def at(self, offset_s: float) -> None:
        """Sleep until `offset_s` after the first call was due; a past instant is at once."""
        await asyncio.sleep(max(0.0, self.starts_at + offset_s - time.monotonic()))

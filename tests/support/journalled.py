"""A journal with its layers above a partner with a ledger, which can die at a chosen instant.

To die is to leave everything as it is and go on with a copy of the files as
they were: what a killed process would find on its disk, without a process.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path

from loadtests.incidents.checker import Execution as Executed
from loadtests.incidents.payments import Payment, Told
from proxy.idempotency import embedded
from proxy.idempotency.opened import Opened
from proxy.idempotency.record import Record
from proxy.idempotency.sqlite_read import find
from proxy.idempotency.store import Query
from proxy.model.call import Call
from proxy.model.clock import SystemClock
from proxy.model.message import Response, header
from proxy.model.outcome import Answered, Execution, Outcome
from proxy.model.route import Candidate, Idempotency, KeyFrom, Route
from proxy.pipeline.layer import AttemptHandler, Replier, stack
from proxy.pipeline.rescue import rescue
from proxy.routing.failover import failover
from tests.support.values import call, candidate, request, route

RULE = Idempotency(
    key_from=KeyFrom.REQUIRED,
    header=b"idempotency-key",
    length_max=255,
    tenant="default",
    tenant_header=None,
    group="acme",
    fields=(),
    volatile=(),
    wait_s=0.1,
)


class Journalled:
    """One partner without keys of its own, one journal that outlives its sidecars."""

    def __init__(self, folder: Path) -> None:
        self.executions: list[Executed] = []
        self.payments: list[Payment] = []
        self.dies_at_execution = False
        """The next call is executed, and in that instant the sidecar dies."""
        self._executed = asyncio.Event()
        self._folder = folder
        self._lives: list[Opened] = []
        self._clock = SystemClock()
        self._route: Route = route(candidate(), idempotency=RULE)
        self._reply = self._live()

    async def pay(self, payment: Payment) -> Told:
        """The payment once; the reply, or none if the sidecar died of it."""
        if payment not in self.payments:
            self.payments.append(payment)
        asked = asyncio.ensure_future(self._reply(self._call(payment)))
        dying = asyncio.ensure_future(self._executed.wait())
        await asyncio.wait((asked, dying), return_when=asyncio.FIRST_COMPLETED)
        told = _told(asked.result()) if asked.done() else Told(error="killed")
        for task in (asked, dying):
            task.cancel()
        if self._executed.is_set():
            self._executed.clear()
            self._reply = self._live()
        payment.told.append(told)
        return told

    def die(self) -> None:
        """Now, and begin again from what is on the disk."""
        self._copy()
        self._reply = self._live()

    def rows(self) -> list[Record]:
        """The journal as it is."""
        return find(self._path(), Query())

    async def close(self) -> None:
        """Let every journal of every life go."""
        for life in self._lives:
            await life.journal.close(0.0)

    # -- one life after the other --------------------------------------------------------

    def _path(self) -> Path:
        return self._folder / f"life-{len(self._lives)}" / "journal.db"

    def _copy(self) -> None:
        """The files of the next life, as they are now."""
        place = self._path().parent
        shutil.copytree(place, place.with_name(f"life-{len(self._lives) + 1}"))

    def _live(self) -> Replier:
        life = embedded.open_embedded(
            self._folder / f"life-{len(self._lives) + 1}" / "journal.db",
            {},
            1.0,
            loop=asyncio.get_running_loop(),
            clock=self._clock,
            failed=lambda _: None,
            bug=lambda _: None,
        )
        self._lives.append(life)
        partner: AttemptHandler = self._partner
        below = stack(life.fence, innermost=partner)
        return rescue(stack(life.claims.layer(), innermost=failover(below, self._clock)))

    def _call(self, payment: Payment) -> Call:
        fields = [header(b"Idempotency-Key", payment.key.encode())]
        asked = request(fields=fields, body=payment.body(), arrived_at=self._clock.now())
        return call(asked, self._route)

    async def _partner(self, asked: Call, at: Candidate) -> Outcome:
        """Executes whatever comes, as often as it comes."""
        payment = next(each for each in self.payments if each.body() == asked.request.body)
        row = Executed("acme", "authorize", payment.key, payment.key, payment.amount)
        self.executions.append(row)
        if self.dies_at_execution:
            self.dies_at_execution = False
            self._copy()
            self._executed.set()
            await asyncio.Event().wait()
        body = b'{"merchantReference": "%b", "amount": %d, "id": %d}' % (
            payment.key.encode(),
            payment.amount,
            len(self.executions),
        )
        answer = Response(200, [header(b"Sandbox-Nonce", payment.key.encode())], body)
        return Answered(at.upstream.partner, at.upstream.name, answer, Execution.DONE)


def _told(reply: Response) -> Told:
    said: Mapping[str, str] = dict(
        line.lower().split(": ", 1) for line in reply.labels.decode().splitlines()
    )
    names = {key.decode(): value.decode() for key, _, value in reply.headers}
    return Told(
        status=reply.status,
        execution=said["tidegate-execution"],
        outcome=said["tidegate-outcome"],
        replayed="tidegate-replayed" in said,
        nonce=names.get("sandbox-nonce", ""),
        headers=tuple(names.items()),
        body=reply.body,
    )

"""The composition root: the stack, and the sidecar's start, drain and stop.

Read `call_path` first. It is the whole house in one chain, outermost first,
with the reason for each position beside it.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from proxy import __version__
from proxy.app_dashboard import Dashboard, Rooms
from proxy.app_health import HealthRoom
from proxy.app_parts import Around, make_dns, make_edge, make_journal
from proxy.app_probes import hold_breakers, make_checker
from proxy.app_telemetry import start_export
from proxy.guard.bulkheads import Bulkheads
from proxy.guard.dimensioned import dimensioned
from proxy.guard.guards import Guards
from proxy.health.findings import Findings
from proxy.inbound.access import access
from proxy.inbound.admission import Admission
from proxy.inbound.best_effort import Background
from proxy.inbound.listener import leave_unix, listen_tcp, listen_unix
from proxy.inbound.translate import Identities, translate
from proxy.model.clock import SystemClock
from proxy.model.errors import StartError
from proxy.model.events import Bug, Event, LateEnding
from proxy.model.message import Request, Response
from proxy.model.setup import Setup
from proxy.model.unsettled import Unsettled
from proxy.pipeline.deadline import deadline
from proxy.pipeline.layer import Choice, Replier, stack
from proxy.pipeline.observe import observe, where
from proxy.pipeline.rescue import LAST_RESORT, rescue
from proxy.retry.budget import RetryBudget
from proxy.retry.retrying import retry
from proxy.routing.affinity import affinity
from proxy.routing.choose import choose
from proxy.routing.failover import failover
from proxy.routing.orderings import Orderings
from proxy.routing.orders import Orders
from proxy.routing.overrides import Overrides
from proxy.routing.routed import routed
from proxy.routing.table import RouteTable
from proxy.routing.warm import Warm
from proxy.telemetry.journal import JournalMetrics
from proxy.telemetry.load import reporter
from proxy.telemetry.sink import Sink
from proxy.upstream.ask import Asking
from proxy.upstream.attempt import attempts
from proxy.upstream.transports import transports

if TYPE_CHECKING:
    from proxy.admin.api import AdminListener

TEND_INTERVAL_S = 1.0
_JOURNAL_CLOSE_S = 5.0
"""For what is being written as the sidecar ends; what was sent and not written is in doubt."""


class Sidecar:
    """One running Tidegate. `start`, then `drain`; `payments` and `admin` say where it listens."""

    def __init__(self, setup: Setup, loop: asyncio.AbstractEventLoop) -> None:
        self._setup = setup
        self._loop = loop
        self._clock = SystemClock()
        built = setup.built
        self._table = RouteTable(built.routes)
        self._identities = Identities(sample_ratio=setup.sample_ratio)
        self._admission = Admission(setup.listen.in_flight_max)
        self._background = Background(self._bug)
        self._bulkheads = Bulkheads(built.routes, self._clock.now)
        self._findings = Findings(self._clock)
        self._sink = Sink(loop, self._clock, self._findings.attempt, log_calls=setup.log_calls)
        self._guards = Guards(built.routes, self._clock.now, self._sink.emit, checked=True)
        self._orderings = Orderings(built.routes, self._guards.condition, self._clock.now)
        self._warm = Warm(built.routes, self._guards.checks.well, self._clock.now)
        self._overrides = Overrides(built.routes, built.upstreams, self._clock, self._sink.emit)
        self._orders = Orders(self._overrides, setup.overrides_file, self._clock)
        hold_breakers(self._overrides, self._guards)
        self._around = around = Around(setup, loop, self._clock, self._sink.emit, self._bug)
        self._health = HealthRoom(around, self._guards, self._sink)
        self._dns = make_dns(around, built.upstreams)
        self._transports = transports(
            built.upstreams.values(),
            lambda upstream: self._dns.resolver(upstream).resolve,
            self._clock.now,
            loop,
            lambda _: self._dns.names.tell,
        )
        self._attempt = attempts(
            self._transports, self._clock, self._identities.span_id, self._emit
        )
        checked = (built, self._transports, self._guards, self._identities, around)
        self._checker = make_checker(*checked, self._sink)
        self._load = self._reports()
        self.broken = asyncio.Event()
        """The journal can be trusted no more: stop, and begin again from its file."""
        self._journal = make_journal(around, self.broken.set)
        if self._journal is not None:
            self._sink.journal = JournalMetrics(self._clock.wall)
            self._journal.journal.committed = self._sink.journal.commits.add
        self._beside: list[asyncio.Task[None]] = []
        """What works beside the calls, until the drain."""
        self._reply = self.call_path()
        self._edge = make_edge(around, self._handle, self._failed)
        self._admin: AdminListener | None = None
        self._tending: asyncio.TimerHandle | None = None
        self.payments = ""
        self.admin = ""
        self.notes = self._dns.notes + self._orders.recall() + self._health.notes
        """What an operator should hear at the start."""

    def _reports(self) -> Callable[[], dict[str, Any]]:
        """What the house tells of itself when it is asked: all of it, and for metrics less."""
        sink, guards = self._sink, self._guards
        sink.overrides.standing = self._overrides.remaining
        sink.overrides.kept = lambda: not self._orders.trouble
        sink.dns.names = self._dns.names.report
        whole, sink.load = (
            reporter(
                admission=self._admission.report, bulkheads=self._bulkheads.report,
                background=self._background.report, breakers=breakers,
                orders=self._orderings.report, checks=self._checker.report,
                warm=self._warm.report,
            )
            for breakers in (guards.report, guards.metered)
        )  # fmt: skip
        self._health.load = whole
        return whole

    def call_path(self) -> Replier:
        """The stack, as a call travels it."""
        clock, listen, budget = self._clock, self._setup.listen, self._setup.retry_budget
        hosts = self._table.accepted(listen.hosts)
        retries = RetryBudget(budget.ratio, budget.window_s, budget.retries_min, clock.now)
        journal = self._journal
        attempt_path = stack(
            # below failover: each candidate has its own attempts
            retry(retries, clock, asyncio.sleep, random.Random()),  # noqa: S311 - jitter
            # whether the upstream is well enough; asked for each attempt, before it takes a place
            self._guards.layer(),
            # its own places for each operation; above the fence: who gets none writes nothing
            self._bulkheads.layer(),
            # durable "about to send" before the first byte; above the attempt's timers
            *([] if journal is None else [journal.fence]),
            # innermost: phase timeouts, the record of how far it got, the wire
            innermost=self._attempt,
        )
        return rescue(  # the only table from an outcome, or a bug, to an HTTP reply
            stack(
                # outermost layer: every ending is recorded, refusals and bugs included
                observe(clock, self._sink.emit),
                # who may call at all, before anything is looked up for them
                access(hosts, listen.token),
                # what the call is; admission will shed by it
                routed(self._table),
                # answers at once where nobody is to wait, and lets the call go on behind it
                self._background.layer(),
                # refuses before any durable work, the least important first
                self._admission.layer(),
                # what tells its slice from others: a scheme may fail alone
                dimensioned(self._table.routes),
                # where it may go now, the well ones first; the claim is fenced for the first
                # (and a few calls to the standby, so that it is known to take them)
                choose(self._ordered()),
                # what belongs to a payment stays with its partner; the claim is fenced there
                affinity(None if journal is None else journal.claims.find),
                # above every timeout, so that it always learns how the call ended
                *([] if journal is None else [journal.claims.layer()]),
                # one budget for all attempts, visible to everything below
                deadline(clock),
                # moves on only after an outcome that proves nothing was executed
                innermost=failover(attempt_path, clock, self._overrides.candidates),
            )
        )

    def _ordered(self) -> Choice:
        """By the file or an operator, by weight or health, by the breakers, then the standby's."""
        listed = self._orderings.over(self._overrides.candidates)
        return self._warm.over(self._guards.order(listed))

    # -- start and stop ------------------------------------------------------------

    async def start(self) -> None:
        """Open the journal, listen for payments, then for operators. Raises StartError."""
        if self._journal is not None:
            self.notes += await self._journal.open()
        at = self._setup.listen.place
        if at.unix_path is not None:
            await listen_unix(self._edge, at.unix_path, at.unix_mode)
            self.payments = f"unix:{at.unix_path}"
        else:
            host, port = await listen_tcp(self._edge, at.host, at.port)
            self.payments = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._tend()
        self._run_beside(
            *self._dns.work(), self._orders.run(), self._checker.run(), *self._health.works()
        )
        self._start_beside()
        try:
            await self._start_admin()
        except StartError:
            await self.drain()  # the payment port is open: calls may be at work already
            raise
        await start_export(
            self._around,
            self._sink,
            self._identities.span_id,
            lambda: self._sink.rest(*self._state(), __version__, self._setup.hash),
        )
        gc.collect()
        gc.freeze()

    def _start_beside(self) -> None:
        """Purge the journal, and ask partners about what is in doubt: an earlier run may have
        left something.
        """
        journal, chosen = self._journal, self._setup.journal
        if journal is None or chosen is None:
            return
        asking = Asking(
            self._attempt,
            self._clock,
            self._identities.call_id,
            self._identities.trace_id,
            self._setup.built.upstreams,
            self._setup.built.credentials,
        )
        settler = journal.settler(
            self._setup.built.settle,
            asking.ask,
            self._clock,
            attempts_max=chosen.settle_attempts_max,
            emit=self._sink.emit,
        )
        watching = journal.watching(chosen.in_doubt_alarm_s, self._watched, self._clock)
        self._run_beside(settler.run(), journal.purging(chosen.retention_s), watching)

    def _run_beside(self, *works: Coroutine[Any, Any, None]) -> None:
        for work in works:
            task = self._loop.create_task(work)
            task.add_done_callback(self._beside_ended)
            self._beside.append(task)

    def _watched(self, found: Sequence[Unsettled]) -> None:
        """What has no end in the journal."""
        self._findings.in_doubt(found)
        self._health.in_doubt(found)
        if self._sink.journal is not None:
            self._sink.journal.unsettled(found)

    def _beside_ended(self, task: asyncio.Task[None]) -> None:
        """None of it should end before the drain, or in an error."""
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._bug(error)

    async def _start_admin(self) -> None:
        """Aiohttp takes as long to import as all the rest, so it comes after the payment port."""
        api = await self._loop.run_in_executor(None, importlib.import_module, "proxy.admin.api")
        admin, journal = self._setup.admin, self._journal
        desk = None if journal is None else journal.desk(self._clock)
        rooms = Rooms(
            self._health, self._guards, self._checker, self._dns, self._orders, desk, self._ready
        )
        reports = api.Reports(
            ready=self._ready,
            metrics=self._report_metrics,
            findings=self._report_findings,
            dns=self._dns.report,
            load=self._load,
            desk=desk,
            token=admin.token,
            routes=self._orders,
            health=self._health,
            dashboard=Dashboard(self._around, rooms),
            bug=self._bug,
        )
        started: AdminListener = await api.start(
            reports,
            admin.place.host,
            admin.place.port,
            admin.place.unix_path,
            admin.place.unix_mode,
        )
        self._admin = started
        self.admin = started.url

    def _ready(self) -> bool:
        return self._dns.settled and not self._edge.draining

    async def drain(self) -> bool:
        """Stop accepting, finish what runs, bounded; True when nothing had to be cut."""
        listen = self._setup.listen
        within_s = listen.timeout_drain_s
        ends_at = self._clock.now() + within_s
        if listen.place.unix_path is not None:
            leave_unix(listen.place.unix_path)
        finished = await self._edge.drain(within_s)
        await self._background.drain(max(0.0, ends_at - self._clock.now()))
        for work in self._beside:
            work.cancel()
        left_s = max(0.0, ends_at - self._clock.now())
        await asyncio.gather(*(each.pool.drain(left_s) for each in self._transports.values()))
        if self._journal is not None:  # last, since late answers are written to it
            finished = await self._journal.journal.close(_JOURNAL_CLOSE_S) and finished
        if self._tending is not None:
            self._tending.cancel()
        await self._health.close()
        if self._admin is not None:
            await self._admin.close()
        self._sink.close()
        return finished

    # -- one call ---------------------------------------------------------------------

    def _handle(self, request: Request) -> Awaitable[Response]:
        return self._reply(translate(request, self._identities))

    def _failed(self, error: Exception) -> Response:
        """A bug above or below the stack: whatever was known is lost, so nothing is claimed."""
        self._bug(error)
        return LAST_RESORT

    def _emit(self, event: Event) -> None:
        self._sink.emit(event)
        if self._journal is not None and type(event) is LateEnding:
            self._journal.claims.late(event)

    def _bug(self, error: BaseException) -> None:
        self._sink.emit(Bug(type(error).__name__, where(error)))

    # -- every second, and when asked ---------------------------------------------------------

    def _tend(self) -> None:
        for transport in self._transports.values():
            transport.pool.tend()
        self._guards.tick()
        self._orderings.look()
        troubles = self._dns.troubles()
        self._findings.names(troubles)
        self._findings.checks(self._checker.troubles())
        self._health.tick(troubles, self._checker.troubles())
        self._sink.tick()
        self._tending = self._loop.call_later(TEND_INTERVAL_S, self._tend)

    def _report_findings(self) -> dict[str, object]:
        self._sink.flush()
        return self._findings.report()

    def _report_metrics(self) -> str:
        lines = self._sink.report(*self._state(), __version__, self._setup.hash)
        return "\n".join(lines) + "\n"

    def _state(self) -> tuple[dict[str, dict[str, int]], dict[str, float]]:
        """Connections by upstream and state, and gauges."""
        pools = {name: each.pool.counts() for name, each in self._transports.items()}
        gauges: dict[str, float] = {"tidegate_inbound_connections": len(self._edge.connections)}
        if self._journal is not None:
            kept = self._journal.journal
            gauges |= {
                "tidegate_journal_available": kept.available,
                "tidegate_journal_owed": kept.owed,
            }
        return pools, gauges

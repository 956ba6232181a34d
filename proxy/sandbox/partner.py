"""One partner process: its port, its ledger, its control site, from start to SIGTERM.

stdout, once listening   partner ready: NAME http://127.0.0.1:PORT control http://127.0.0.1:CPORT
exit 0                   ended by SIGTERM, SIGINT or the end of standard input
exit 1                   the ledger failed
exit 3                   a port is taken
"""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import resource
import signal
import ssl
import sys
from collections.abc import Callable
from typing import Any

from proxy.sandbox.acquirer import Acquirer
from proxy.sandbox.connection import abort
from proxy.sandbox.control import Control
from proxy.sandbox.endpoints import Partner
from proxy.sandbox.ledger import Ledger, LedgerError
from proxy.sandbox.listener import HOST, BlackholeError, Listener
from proxy.sandbox.options import PartnerOptions
from proxy.sandbox.processor import Processor
from proxy.sandbox.rules import Rule, RuleError
from proxy.sandbox.serving import Desk
from proxy.sandbox.threeds import ThreeDs

EXIT_LEDGER = 1
EXIT_PORT_TAKEN = 3
SWITCH_INTERVAL_S = 0.0005
"""A tenth of the default: the ledger's thread waits that long for its turn in a busy process."""

__all__ = ["EXIT_LEDGER", "EXIT_PORT_TAKEN", "PartnerOptions", "PartnerProcess", "main"]


class PortTakenError(Exception):
    """Another process listens on a port that was asked for."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is taken")


class PartnerProcess:
    """The parts of a running partner, put together."""

    def __init__(self, options: PartnerOptions) -> None:
        self._options = options
        self._stop = asyncio.Event()
        self._exit_code = 0
        self._ledger = Ledger(options.ledger, options.name, self._ledger_failed)
        self._partner = _partner_of(options.kind, self._ledger)
        self._desk = Desk(self._partner, options)
        self._rules: list[Rule] = []

    @property
    def rules(self) -> list[Rule]:
        """The rules in force."""
        return self._rules

    async def run(self) -> int:
        """Serve until told to end; the exit code."""
        options = self._options
        self._end_on_signals()
        try:
            self._listener = self._listen()
            try:
                runner = await Control(self, self._ledger).start(options.control_port)
            except OSError as problem:
                self._listener.close()
                raise _taken(problem, options.control_port) from problem
            self._listener.open()
            self._say_ready(runner.addresses[0][1])
            await self._stop.wait()
            self._listener.close()
            self._end_connections(reset=False)
            await runner.cleanup()
            return self._exit_code
        finally:
            self._ledger.close()

    def apply(self, rules: list[Rule]) -> None:
        """Put rules in force; the listening socket first, as only it can fail."""
        self._desk.rulebook.replace(rules)
        rule = self._desk.rulebook.listener()
        try:
            self._apply_to_listener(rule)
        except BlackholeError as problem:
            self.apply([])
            raise RuleError(str(problem)) from problem
        self._desk.staff()
        if rule is not None and rule not in self._rules:
            self._desk.stats.faults[rule.kind] += 1
        self._rules = rules

    def stats(self) -> dict[str, Any]:
        """What `GET /stats` tells."""
        stats, desk = self._desk.stats, self._desk
        return {
            "partner": self._options.name,
            "kind": self._options.kind,
            "requests": stats.requests,
            "bad_requests": stats.bad_requests,
            "executed": self._ledger.written,
            "replayed": self._partner.keys.replayed if isinstance(self._partner, Processor) else 0,
            "faults": dict(stats.faults),
            "connections": {
                "open": len(desk.connections),
                "total": stats.connections_total,
                "handshakes_failed": stats.handshakes_failed,
            },
            "bugs": stats.bugs,
        }

    def _apply_to_listener(self, rule: Rule | None) -> None:
        desk = self._desk
        if rule is not None and rule.kind == "blackhole":
            self._listener.blackhole()
            desk.gate.close()
            for connection in desk.connections:
                connection.freeze()
            return
        if rule is None:
            self._listener.open()
        else:
            self._listener.refuse()
            if rule.params["established"] == "reset":
                self._end_connections(reset=True)
        if desk.gate.shut:
            desk.gate.open()
            for connection in desk.connections:
                connection.thaw()

    def _listen(self) -> Listener:
        options = self._options
        tls = None
        if options.tls_certificate_file is not None:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(options.tls_certificate_file, options.tls_key_file)
        try:
            return Listener(
                options.port,
                options.backlog,
                self._desk.adopt,
                tls,
                self._handshake_failed,
                options.host,
            )
        except OSError as problem:
            raise _taken(problem, options.port) from problem

    def _say_ready(self, control_port: int) -> None:
        scheme = "https" if self._options.tls_certificate_file else "http"
        url = f"{scheme}://{self._options.host}:{self._listener.port}"
        sys.stdout.write(
            f"partner ready: {self._options.name} {url} control http://{HOST}:{control_port}\n"
        )
        sys.stdout.flush()

    def _end_on_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        if self._options.end_with_stdin:
            loop.add_reader(0, self._read_stdin)

    def _read_stdin(self) -> None:
        if not os.read(0, 4096):
            asyncio.get_running_loop().remove_reader(0)
            self._stop.set()

    def _end_connections(self, *, reset: bool) -> None:
        for connection in self._desk.connections:
            if connection.transport is not None:
                abort(connection.transport, reset=reset)

    def _handshake_failed(self) -> None:
        self._desk.stats.handshakes_failed += 1

    def _ledger_failed(self) -> None:
        self._exit_code = EXIT_LEDGER
        self._stop.set()
        sys.stderr.write(f"partner {self._options.name}: the ledger cannot be written\n")


def main(options: PartnerOptions) -> int:
    """Run one partner until it is told to end; the exit code."""
    _allow_many_descriptors()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_run(options))
    except (PortTakenError, LedgerError) as problem:
        sys.stderr.write(f"partner {options.name}: {problem}\n")
        return EXIT_PORT_TAKEN if isinstance(problem, PortTakenError) else EXIT_LEDGER


async def _run(options: PartnerOptions) -> int:
    process = PartnerProcess(options)
    gc.collect()
    gc.freeze()  # what was imported never dies; scanning it would show up in the latencies
    return await process.run()


def _partner_of(kind: str, ledger: Ledger) -> Partner:
    kinds: dict[str, Callable[[Ledger], Partner]] = {
        "processor": Processor,
        "acquirer": Acquirer,
        "threeds": ThreeDs,
    }
    return kinds[kind](ledger)


def _taken(problem: OSError, port: int) -> Exception:
    return PortTakenError(port) if problem.errno == errno.EADDRINUSE else problem


def _loop_factory() -> Any:
    """The factory of uvloop where it is installed; the standard loop does as well."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _allow_many_descriptors() -> None:
    """A partner faces thousands of connections; the usual soft limit is 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

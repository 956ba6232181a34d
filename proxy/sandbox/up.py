"""`tidegate sandbox up`: the sandbox partners and the sidecar in front of them, until Ctrl-C.

Every child runs in a session of its own, so that Ctrl-C reaches this process
alone and it can end them in order: the sidecar first, which drains, then the
partners it was talking to.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from proxy.sandbox.client import SandboxError, SandboxPartner
from proxy.sandbox.options import PartnerOptions

EXIT_NOT_STARTED = 3
EXIT_INTERRUPTED = 130
CHARGE_PATH = "/processor/v1/charges"
"""Where config/sandbox.yaml takes charges."""

_TABLE = (
    ("processor", "processor-a", 9101, 9201),
    ("processor", "processor-b", 9102, 9202),
    ("acquirer", "acquirer-a", 9111, 9211),
    ("threeds", "threeds-a", 9121, 9221),
    ("threeds", "threeds-b", 9122, 9222),
)
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_READY = re.compile(r"tidegate ready: payments (?P<payments>\S+) admin (?P<admin>\S+)")


def sandbox_partners(ledger_dir: Path) -> list[PartnerOptions]:
    """The partners that config/sandbox.yaml names, on their fixed ports, at a human pace."""
    return [
        PartnerOptions(
            kind, name, port, control_port, ledger_dir / f"{name}.jsonl", latency_p50_ms=30
        )
        for kind, name, port, control_port in _TABLE
    ]


def up(
    config_path: Path,
    ledger_dir: Path | None = None,
    partners: Sequence[PartnerOptions] | None = None,
    command: Sequence[str] | None = None,
) -> int:
    """Start everything, wait for the sidecar's end, end everything; the sidecar's exit code.

    `command` is the sidecar's, `python -m proxy run --config CONFIG` by default.
    """
    folder = (
        Path(tempfile.mkdtemp(prefix="tidegate-sandbox-")) if ledger_dir is None else ledger_dir
    )
    chosen = list(sandbox_partners(folder) if partners is None else partners)
    sidecar_command = list(
        command or [sys.executable, "-m", "proxy", "run", "--config", str(config_path)]
    )
    running: list[SandboxPartner] = []
    with _stop_on_signals() as stop:
        try:
            if not _start_partners(chosen, running, stop):
                return EXIT_INTERRUPTED if stop.asked else EXIT_NOT_STARTED
            _say(f"ledgers: {folder}")
            return _run_sidecar(sidecar_command, running, stop)
        finally:
            for partner in running:
                partner.stop()


class _Stop:
    """Whether somebody asked us to end, and what is to be told then."""

    def __init__(self) -> None:
        self.asked = False
        self._sidecar: subprocess.Popen[str] | None = None

    def watch(self, sidecar: subprocess.Popen[str]) -> None:
        """From now on the sidecar is told; at once if it was asked before."""
        self._sidecar = sidecar
        if self.asked:
            sidecar.terminate()

    def ask(self, *_: int | FrameType | None) -> None:
        """A signal came: the sidecar drains; at the second signal it does not."""
        if self._sidecar is not None:
            self._sidecar.send_signal(signal.SIGKILL if self.asked else signal.SIGTERM)
        self.asked = True


@contextmanager
def _stop_on_signals() -> Iterator[_Stop]:
    """Handle SIGINT and SIGTERM meanwhile, and put the old handlers back."""
    stop = _Stop()
    before = {number: signal.signal(number, stop.ask) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start_partners(
    chosen: list[PartnerOptions], running: list[SandboxPartner], stop: _Stop
) -> bool:
    """Start them together; False, with a word to the reader, if one does not come up."""
    running += [SandboxPartner(options) for options in chosen]
    for partner in running:
        try:
            partner.wait_ready()
        except SandboxError as problem:
            _say(f"{problem}")
            _say(
                "If a port is taken, an earlier sandbox may still run: end it, or find the "
                "owner with `ss -ltnp`. The ports are in docs/sandbox.md."
            )
            return False
        _say(f"{partner.name} listens on {partner.url}, control port {partner.control_port}")
    return not stop.asked


def _run_sidecar(command: list[str], partners: list[SandboxPartner], stop: _Stop) -> int:
    """Run the sidecar to its end; its words go through, and when it is ready, so do ours."""
    sidecar = subprocess.Popen(  # noqa: S603 - the command is the operator's own
        command, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    stop.watch(sidecar)

    def ready(payments: str, admin: str) -> None:
        _say(what_to_try(payments, admin, partners))

    reader = threading.Thread(target=_pass_on, args=(sidecar, ready), daemon=True)
    reader.start()
    code = sidecar.wait()
    reader.join(timeout=1)
    if sidecar.stderr is not None and not reader.is_alive():
        sidecar.stderr.close()
    return code if code >= 0 else 128 - code


def _pass_on(sidecar: subprocess.Popen[str], ready: Callable[[str, str], None]) -> None:
    """Repeat the sidecar's stderr on ours and watch for its ready line."""
    assert sidecar.stderr is not None
    for line in sidecar.stderr:
        _say(line.rstrip("\n"))
        found = _READY.search(line)
        if found:
            ready(found["payments"], found["admin"])


def what_to_try(payments: str, admin: str, partners: Sequence[SandboxPartner]) -> str:
    """A few commands that show what this is about."""
    lines = ["", "The sidecar takes payments. Try, in another terminal:", ""]
    lines += [
        "  # a charge with an idempotency key",
        "  KEY=order-$(date +%s)",
        *_charge(payments, "order-1"),
        "",
        "  # the same command again: executed once, answered from the journal (Tidegate-Replayed)",
        "",
    ]
    processor = next((p for p in partners if p.options.kind == "processor"), None)
    if processor is not None:
        control = f"http://127.0.0.1:{processor.control_port}"
        lines += [
            f"  # let {processor.name} refuse connections, charge, and see who answers",
            f"  curl -X PUT {control}/faults -d '" + '[{"kind": "refuse"}]' + "'",
            "  KEY=order-$(date +%s)",
            *_charge(payments, "order-2"),
            f"  curl -X DELETE {control}/faults",
            "",
            "  # what it executed",
            f"  curl {control}/ledger",
            "",
        ]
    lines += [
        "  # what the sidecar has noticed, once something failed three times",
        f"  curl {admin}/findings",
        "",
    ]
    return "\n".join([*lines, "Ctrl-C ends everything. More faults: docs/sandbox.md."])


def _charge(payments: str, reference: str) -> list[str]:
    """A command that charges a test card, under a reference of its own."""
    body = (
        f'{{"amount": 1000, "currency": "EUR", "reference": "{reference}", '
        '"card": {"number": "4111111111111111", "scheme": "visa"}}'
    )
    head = f"  curl -i {payments}{CHARGE_PATH} -H 'Content-Type: application/json' \\"
    return [head, f"    -H \"Idempotency-Key: $KEY\" -d '{body}'"]


def _say(text: str) -> None:
    """To stderr: stdout belongs to the sidecar's log. A closed terminal is no reason to die."""
    with contextlib.suppress(BrokenPipeError):
        os.write(2, f"{text}\n".encode())

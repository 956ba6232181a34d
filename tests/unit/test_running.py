"""`proxy.running`: the process as an operator sees it, on both loops."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from proxy.running import Complaints
from tests.support import config
from tests.support.client import Client, request
from tests.support.origin import Origin
from tests.support.peer import Peer
from tests.support.sidecar import REPOSITORY, Sidecar, SidecarError
from tests.support.values import CARD

BOTH_LOOPS = pytest.mark.parametrize("loop", ["uvloop", "asyncio"])


def _document(origin: Origin, **listen: Any) -> config.Document:
    routes = [config.route("/psp/", ["a"])]
    return config.document({"a": config.upstream(origin.port)}, routes, listen=listen)


@BOTH_LOOPS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_exits_0(tmp_path: Path, loop: str, number: int) -> None:
    """One line says that it is ready; the log line of the last call is written before the end."""
    with Origin() as origin, Sidecar(_document(origin), tmp_path, loop=loop) as sidecar:
        with Client(sidecar.payments) as client:
            assert client.call("POST", "/psp/x").status == 200
            sidecar.process.send_signal(number)
            assert sidecar.wait() == 0
            assert client.at_end()
        assert len(sidecar.stderr.splitlines()) == 1
        assert [line["event"] for line in sidecar.log_lines()] == ["call"]


@BOTH_LOOPS
def test_a_call_that_the_drain_has_to_cut_is_recorded_as_unknown(tmp_path: Path, loop: str) -> None:
    """Exit code 3, and the payment that was under way is in the log with its identity."""

    def hang(peer: Peer) -> None:
        peer.read_request()
        peer.wait_closed()

    with Origin(hang) as origin:
        document = _document(origin, timeout_drain="100ms")
        with Sidecar(document, tmp_path, loop=loop) as sidecar, Client(sidecar.payments) as client:
            client.send(request("POST", f"/psp/{CARD}", CARD.encode()))
            origin.wait_received(1)
            assert sidecar.stop() == 3
            (line,) = [each for each in sidecar.log_lines() if each["event"] == "call"]
            assert CARD not in sidecar.stdout + sidecar.stderr
    assert (line["outcome"], line["execution"]) == ("in_doubt", "unknown")
    assert (line["reason"], line["origin"]) == ("cancelled", "proxy")
    assert (line["upstream"], line["attempts"]) == ("a", 1)


def test_no_core_file_can_be_written(tmp_path: Path) -> None:
    """It would hold card data (PCI DSS 3.3.1); the hard limit is zero too."""
    with Origin() as origin, Sidecar(_document(origin), tmp_path) as sidecar:
        limits = Path(f"/proc/{sidecar.process.pid}/limits").read_text(encoding="ascii")
    assert re.search(r"^Max core file size\s+0\s+0\s", limits, re.MULTILINE)


def test_it_takes_the_descriptors_that_it_may_have(tmp_path: Path) -> None:
    """Service managers give 1024 and allow more; a sidecar that stops accepting takes no money."""
    with Origin() as origin, Sidecar(_document(origin), tmp_path) as sidecar:
        limits = Path(f"/proc/{sidecar.process.pid}/limits").read_text(encoding="ascii")
    soft, hard = re.findall(r"^Max open files\s+(\S+)\s+(\S+)", limits, re.MULTILINE)[0]
    assert soft == hard


def test_bounds_that_need_too_many_descriptors_are_told(tmp_path: Path) -> None:
    """At the start, with both numbers and the remedy, not at the first flood."""
    with Origin() as origin, Sidecar(_document(origin, connections_max=65536), tmp_path) as sidecar:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        told = [line for line in sidecar.stderr.splitlines() if "descriptors" in line]
        needed = 65536 + 256 + 64 + 128
        expected = most != resource.RLIM_INFINITY and needed > most
        assert len(told) == expected
        assert not told or (str(needed) in told[0] and str(most) in told[0])


@BOTH_LOOPS
def test_a_lack_of_descriptors_is_no_flood_of_words(tmp_path: Path, loop: str) -> None:
    """Asyncio's loop complains for each place in its backlog, a thousand times a second."""
    with Origin() as origin, Sidecar(_document(origin), tmp_path, loop=loop) as sidecar:
        _, most = resource.prlimit(sidecar.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(sidecar.process.pid, resource.RLIMIT_NOFILE, (24, most))
        waiting = [socket.create_connection(("127.0.0.1", sidecar.port)) for _ in range(40)]
        time.sleep(1.5)
        said = sidecar.stderr.splitlines()[1:]
        resource.prlimit(sidecar.process.pid, resource.RLIMIT_NOFILE, (1024, most))
        for each in waiting:
            each.close()
        with Client(sidecar.payments) as client:
            assert client.call("POST", "/psp/x").status == 200
    assert len(said) <= 3
    assert all(line.startswith("tidegate: event loop: OSError 24") for line in said)


def test_complaints_of_the_loop_name_the_place_and_never_the_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The text of an exception may hold what was being handled; the next line tells how many."""
    instant = [100.0]
    complaints = Complaints(lambda: instant[0])
    loop = asyncio.new_event_loop()
    try:
        for _ in range(3):
            complaints(loop, {"message": CARD, "exception": ValueError(CARD)})
        instant[0] += 1.0
        complaints(loop, {"message": CARD})
    finally:
        loop.close()
    first, second = capsys.readouterr().err.splitlines()
    assert first == "tidegate: event loop: ValueError at unknown"
    assert second == "tidegate: event loop: no exception; 2 more since the last line"


@pytest.mark.parametrize("port_of", ["listen", "admin"])
def test_a_port_that_is_taken_is_one_sentence_and_exit_1(tmp_path: Path, port_of: str) -> None:
    """No traceback; the address and the setting are named."""
    with Origin() as origin, socket.create_server(("127.0.0.1", 0)) as taken:
        document = _document(origin)
        document[port_of]["address"] = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SidecarError, match=rf"exited 1: tidegate: .*{port_of}\.address"):
            Sidecar(document, tmp_path)
    stderr = (tmp_path / "stderr.txt").read_text(encoding="utf-8")
    assert len(stderr.splitlines()) == 1


def test_a_reader_of_standard_output_that_stops_stops_no_payment(tmp_path: Path) -> None:
    """The pipe is full after fewer than 200 lines; calls go on, and the drain ends in time."""
    reader, writer = os.pipe()
    try:
        with Origin() as origin:
            with Sidecar(_document(origin), tmp_path, stdout=writer) as sidecar:
                with Client(sidecar.payments) as client:
                    for _ in range(300):
                        assert client.call("POST", "/psp/x").status == 200
                assert sidecar.stop() == 0
    finally:
        os.close(reader)
        os.close(writer)


def test_the_module_is_the_command(tmp_path: Path) -> None:
    """`python -m proxy` has the same commands as `tidegate`."""
    command = [sys.executable, "-m", "proxy", "--help"]
    done = subprocess.run(
        command,
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        timeout=30,
        check=True,
    )
    for name in (b"run", b"check", b"explain", b"schema", b"status", b"findings", b"metrics"):
        assert name in done.stdout

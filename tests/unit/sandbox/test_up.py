"""Rules for `sandbox up`."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from proxy.sandbox.client import SandboxPartner
from proxy.sandbox.options import PartnerOptions
from proxy.sandbox.up import CHARGE_PATH, EXIT_NOT_STARTED, sandbox_partners, up

ROOT = Path(__file__).parents[3]

READY = (
    "import sys, signal, time\n"
    "sys.stderr.write('tidegate ready: payments http://127.0.0.1:1 admin http://127.0.0.1:2\\n')\n"
    "sys.stderr.flush()\n"
)


def command(*lines: str) -> list[str]:
    """A stand-in for the sidecar: it says that it is ready, then does what the lines say."""
    return [sys.executable, "-c", READY + "\n".join(lines)]


def test_it_shows_what_to_try_and_ends_with_the_sidecars_code(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The commands name the real ports, and the partner is gone afterwards."""
    options = PartnerOptions("processor", "processor-a", 0, 0, tmp_path / "a.jsonl")
    assert up(tmp_path / "c.yaml", tmp_path, [options], command("sys.exit(7)")) == 7
    said = capfd.readouterr().err
    assert "tidegate ready:" in said
    assert f"curl -i http://127.0.0.1:1{CHARGE_PATH}" in said
    assert "curl http://127.0.0.1:2/findings" in said
    control = said.split("control port ")[1].split("\n")[0]
    assert f"curl -X PUT http://127.0.0.1:{control}/faults" in said
    with SandboxPartner.start("processor", "processor-a", ledger=options.ledger) as again:
        assert again.ledger() == []


def test_a_taken_port_is_named_with_what_to_do(
    processor: SandboxPartner, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The sidecar is not started; the reader learns which port and how to find its owner."""
    options = PartnerOptions("processor", "processor-a", processor.port, 0, tmp_path / "a.jsonl")
    mark = tmp_path / "started"
    started = command(f"open({str(mark)!r}, 'w').close()")
    assert up(tmp_path / "c.yaml", tmp_path, [options], started) == EXIT_NOT_STARTED
    said = capfd.readouterr().err
    assert f"port {processor.port} is taken" in said
    assert "ss -ltnp" in said
    assert not mark.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_drains_the_sidecar_before_the_partners_end(tmp_path: Path, number: int) -> None:
    """The sidecar gets SIGTERM while its partners still serve, and its exit code is ours."""
    sidecar = command(
        "import urllib.request",
        "def drain(*_):",
        f"    port = open({str(tmp_path / 'port')!r}).read()",
        "    body = urllib.request.urlopen(f'http://127.0.0.1:{port}/healthz', timeout=5).read()",
        f"    open({str(tmp_path / 'drained')!r}, 'wb').write(body)",
        "    sys.exit(5)",
        "signal.signal(signal.SIGTERM, drain)",
        "sys.stderr.write('waiting\\n'); sys.stderr.flush()",
        "time.sleep(60)",
    )
    program = (
        "import sys; from pathlib import Path\n"
        "from proxy.sandbox.options import PartnerOptions; from proxy.sandbox.up import up\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "options = PartnerOptions('threeds', 'threeds-a', 0, 0, folder / 't.jsonl')\n"
        f"sys.exit(up(folder / 'c.yaml', folder, [options], {sidecar!r}))\n"
    )
    running = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, cwd=ROOT)
    try:
        said = said_until(running, "waiting")
        (tmp_path / "port").write_text(said.split("control port ")[1].split("\n")[0])
        running.send_signal(number)
        assert running.wait(20) == 5
    finally:
        running.kill()
        running.wait()
        assert running.stderr is not None
        running.stderr.close()
    assert (tmp_path / "drained").read_bytes() == b'{"status": "ok"}'


def said_until(running: subprocess.Popen[bytes], word: str) -> str:
    """What the process says on stderr until a word appears."""
    assert running.stderr is not None
    fd, said = running.stderr.fileno(), b""
    deadline = time.monotonic() + 20
    while word.encode() not in said:
        left_s = deadline - time.monotonic()
        assert left_s > 0, said
        if select.select([fd], [], [], left_s)[0]:
            piece = os.read(fd, 4096)
            assert piece, said
            said += piece
    return said.decode()


def test_the_sandbox_has_the_partners_its_configuration_names(tmp_path: Path) -> None:
    """Five partners, each with two ports of its own and a ledger in the given folder."""
    partners = sandbox_partners(tmp_path)
    assert {partner.name: partner.port for partner in partners} == {
        "processor-a": 9101,
        "processor-b": 9102,
        "acquirer-a": 9111,
        "threeds-a": 9121,
        "threeds-b": 9122,
    }
    ports = {p.port for p in partners} | {p.control_port for p in partners}
    assert len(ports) == 10
    assert all(partner.ledger.parent == tmp_path for partner in partners)

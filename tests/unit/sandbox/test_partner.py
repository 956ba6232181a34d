"""Rules for the life of a partner process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.sandbox.client import SandboxError, SandboxPartner
from proxy.sandbox.partner import EXIT_LEDGER, EXIT_PORT_TAKEN
from tests.unit.sandbox.talk import ask, charge, connect, is_silent, read_answer, request


def test_a_kill_right_after_the_answer_loses_no_row_and_no_key(tmp_path: Path) -> None:
    """What was answered is in the ledger; the next life replays it and counts on."""
    path = tmp_path / "ledger.jsonl"
    with SandboxPartner.start("processor", "p", ledger=path) as partner:
        with connect(partner.port) as peer:
            for number in range(20):
                peer.sendall(request(charge(f"r{number}"), nonce=f"n{number}", key=f"k{number}"))
                last = read_answer(peer)
            partner.kill()
        assert [row["reference"] for row in partner.ledger()] == [f"r{n}" for n in range(20)]
        port = partner.port
    with path.open("ab") as file:
        file.write(b'{"seq":21,"at":17')
    with SandboxPartner.start("processor", "p", ledger=path, port=port) as partner:
        assert partner.port == port
        again = ask(port, charge("r19"), nonce="other", key="k19")
        assert again.headers["idempotent-replayed"] == "true"
        assert again.headers["sandbox-nonce"] == "other"
        assert again.raw_body == last.raw_body
        listed = ask(port, method="GET", path="/v1/charges?reference=r3").body
        assert [item["reference"] for item in listed["data"]] == ["r3"]
        assert ask(port, charge("r21")).status == 200
        assert [row["seq"] for row in partner.ledger()] == list(range(1, 22))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_calls_in_flight(number: int) -> None:
    """SIGTERM and SIGINT end a partner with exit code 0, also while it hangs and is frozen."""
    with SandboxPartner.start("threeds", "t") as partner:
        partner.set_faults({"kind": "hang"})
        with connect(partner.port) as peer:
            peer.sendall(request({}, path="/3ds/version"))
            assert is_silent(peer, 0.02)
            partner.set_faults({"kind": "blackhole"})
            partner.process.send_signal(number)
            assert partner.process.wait(10) == 0


def test_it_ends_with_its_standard_input_when_told_so(tmp_path: Path) -> None:
    """A partner whose starter is gone does not stay behind."""
    with SandboxPartner.start("acquirer", "a") as partner:
        assert partner.process.stdin is not None
        partner.process.stdin.close()
        assert partner.process.wait(10) == 0


def test_a_taken_port_and_a_taken_ledger_are_told_apart(
    processor: SandboxPartner, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The exit code and one line on stderr say what is in the way; nothing hangs."""
    wrong = [
        SandboxPartner.launch("processor", "one", port=processor.port),
        SandboxPartner.launch("processor", "two", control_port=processor.control_port),
        SandboxPartner.launch("processor", "three", ledger=processor.ledger_path),
    ]
    codes = []
    for partner in wrong:
        with partner, pytest.raises(SandboxError):
            partner.wait_ready()
        codes.append(partner.process.returncode)
    assert codes == [EXIT_PORT_TAKEN, EXIT_PORT_TAKEN, EXIT_LEDGER]
    said = capfd.readouterr().err
    assert f"partner one: port {processor.port} is taken" in said
    assert f"partner two: port {processor.control_port} is taken" in said
    assert "partner three: another partner process writes to this ledger" in said


def test_it_knows_nothing_of_the_edges_it_judges() -> None:
    """A partner loads no module of the proxy but its own, so it cannot share their mistakes."""
    program = (
        "import json, sys, proxy.sandbox.partner\n"
        "print(json.dumps([m for m in sys.modules if m.split('.')[0] == 'proxy']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    loaded = set(json.loads(done.stdout)) - {"proxy"}
    assert {name.split(".")[1] for name in loaded} == {"sandbox"}

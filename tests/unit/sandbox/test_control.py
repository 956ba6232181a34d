"""Rules for the control site."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from proxy.sandbox.client import SandboxPartner
from tests.unit.sandbox.talk import ask, charge


def control(
    partner: SandboxPartner, method: str, path: str, body: bytes | None = None
) -> tuple[int, Any]:
    """Status and JSON of one call to the control site."""
    connection = http.client.HTTPConnection("127.0.0.1", partner.control_port, timeout=10)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_faults_are_put_shown_and_taken_away(processor: SandboxPartner) -> None:
    """PUT replaces the whole list, GET shows it as it was given, DELETE empties it."""
    rules = [{"kind": "slow", "factor": 2}, {"kind": "hang", "share": 0}]
    assert control(processor, "PUT", "/faults", json.dumps(rules).encode()) == (200, rules)
    assert control(processor, "GET", "/faults") == (200, rules)
    one = [{"kind": "early_close"}]
    assert control(processor, "PUT", "/faults", json.dumps(one).encode()) == (200, one)
    assert control(processor, "DELETE", "/faults") == (200, [])


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"{", "not JSON"), (b"[" * 100_000, "not JSON"), (b'[{"kind": "x"}]', "kind must be one of")],
)
def test_wrong_faults_are_refused_and_change_nothing(
    processor: SandboxPartner, body: bytes, said: str
) -> None:
    """A 400 says why; the rules in force stay."""
    processor.set_faults({"kind": "early_close"})
    status, found = control(processor, "PUT", "/faults", body)
    assert (status, said in found["error"]) == (400, True)
    assert processor.faults() == [{"kind": "early_close"}]


def test_the_ledger_is_read_from_a_sequence_number_on(
    processor: SandboxPartner, reference: str
) -> None:
    """Rows after the given number only; a number that is none is refused."""
    last = len(processor.ledger())
    ask(processor.port, charge(reference), nonce="n", key=reference)
    status, rows = control(processor, "GET", f"/ledger?since={last}")
    assert status == 200
    assert [(row["reference"], row["nonce"], row["idempotency_key"]) for row in rows] == [
        (reference, "n", reference)
    ]
    assert rows == processor.ledger(since=last)
    assert control(processor, "GET", "/ledger?since=x")[0] == 400


def test_statistics_count_requests_and_executions(
    processor: SandboxPartner, reference: str
) -> None:
    """An inquiry is a request and no execution; a replay is counted as one."""
    before = processor.stats()
    for _ in range(2):
        ask(processor.port, charge(reference), key=reference)
    ask(processor.port, method="GET", path=f"/v1/charges?reference={reference}")
    after = processor.stats()
    grown = {name: after[name] - before[name] for name in ("requests", "executed", "replayed")}
    assert grown == {"requests": 3, "executed": 1, "replayed": 1}
    assert after["connections"]["total"] - before["connections"]["total"] == 3


def test_the_control_site_answers_while_the_partner_does_not(processor: SandboxPartner) -> None:
    """Faults of the port under test do not touch the port that steers them."""
    processor.set_faults({"kind": "blackhole"})
    assert control(processor, "GET", "/healthz") == (200, {"status": "ok"})
    processor.set_faults({"kind": "refuse"})
    assert control(processor, "GET", "/healthz") == (200, {"status": "ok"})

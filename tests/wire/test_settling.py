"""Calls in doubt are settled by the real process, at a partner with a ledger."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.sandbox.client import SandboxPartner
from tests.support import config
from tests.support.client import Client, Reply
from tests.support.origin import Origin
from tests.support.peer import Peer, answer
from tests.support.sidecar import Sidecar

BODY = {"amount": 1000, "currency": "EUR", "reference": "order-1", "card": {"scheme": "visa"}}
OWN_KEYS = {"header": "Idempotency-Key"}
INQUIRY = {
    "reference": "/reference",
    "target": "/v1/charges?reference={reference}",
    "found": "/data/0/id",
    "absent_after": "1s",
}
REVERSAL = {
    "reference": "/reference",
    "target": "/v1/charges/void",
    "body": '{"reference": "{reference}"}',
    "after": "1s",
    "absent_after": "1s",
}
EXECUTES_AND_HANGS = {"kind": "hang", "execute": "before", "match": {"operation": "authorize"}}
NEVER_GETS_IT = {"kind": "hang", "execute": "never", "match": {"operation": "authorize"}}
WITHIN_S = 20.0
"""Generous: two workers share two cores; the waits of the settler are some seconds."""


@pytest.fixture
def processor(tmp_path: Path) -> Iterator[SandboxPartner]:
    """A partner with a ledger."""
    with SandboxPartner.start(
        "processor", "processor", ledger=tmp_path / "l", latency_p50_ms=1
    ) as (partner):
        yield partner


def house(folder: Path, port: int, **partner: Any) -> config.Document:
    """A sidecar with a journal and this partner, which has half a second to answer."""
    upstreams = {
        "a": config.upstream(port, timeouts={"first_byte": "500ms"}, pool={"linger": "100ms"})
    }
    routes = [config.route("/", ["a"])]
    document = config.document(upstreams, routes, journal={"path": str(folder / "j.db")})
    document["partners"]["partner"] |= {"credentials": {}, **partner}
    return document


def pay(sidecar: Sidecar, key: str = "k1") -> Reply:
    """The payment, on a connection of its own."""
    with Client(sidecar.payments) as client:
        fields = [("Idempotency-Key", key), ("Content-Type", "application/json")]
        return client.call("POST", "/v1/charges", json.dumps(BODY).encode(), fields)


def pay_until(sidecar: Sidecar, ends: Callable[[Reply], bool]) -> list[Reply]:
    """An application that retries once in a while; all replies, the last of which ends it."""
    replies = [pay(sidecar)]
    give_up_at = time.monotonic() + WITHIN_S
    while not ends(replies[-1]):
        assert time.monotonic() < give_up_at, replies[-1].body
        time.sleep(0.2)
        replies.append(pay(sidecar))
    return replies


def operations(partner: SandboxPartner) -> list[str]:
    """What the partner executed, in order."""
    return [row["operation"] for row in partner.ledger()]


def done(reply: Reply) -> bool:
    """The application has its answer."""
    return reply.status == 200


def test_an_inquiry_finds_what_was_executed(processor: SandboxPartner, tmp_path: Path) -> None:
    """The retry gets it without a second sending, although the partner would have its own keys."""
    document = house(
        tmp_path, processor.port, idempotency=OWN_KEYS,
        inquiries={"authorize": INQUIRY}, settle={"authorize": "inquire"},
    )  # fmt: skip
    with Sidecar(document, tmp_path) as sidecar:
        processor.set_faults(EXECUTES_AND_HANGS)
        replies = pay_until(sidecar, done)
    assert replies[0].header("tidegate-execution") == "unknown"
    assert replies[-1].header("tidegate-replayed") == "true"
    assert replies[-1].header("tidegate-settled-by") == "inquiry"
    assert json.loads(replies[-1].body)["data"][0]["reference"] == "order-1"
    assert operations(processor) == ["authorize"]


def test_a_drained_upstream_is_asked(processor: SandboxPartner, tmp_path: Path) -> None:
    """A drain stops new payments, not the questions about old ones."""
    asked = {"inquiries": {"authorize": INQUIRY}, "settle": {"authorize": "inquire"}}
    with Sidecar(house(tmp_path, processor.port, **asked), tmp_path) as sidecar:
        processor.set_faults(EXECUTES_AND_HANGS)
        pay(sidecar)
        with Client(sidecar.admin) as client:
            given = (b'{"reason": "test"}', [("Content-Type", "application/json")])
            client.call("PUT", "/upstreams/a/drain", *given, host="127.0.0.1")
        assert json.loads(pay(sidecar, "k2").body)["reason"] == "no_candidate"
        assert pay_until(sidecar, done)[-1].header("tidegate-replayed") == "true"
    assert operations(processor) == ["authorize"]


@pytest.mark.parametrize("mode", ["inquire", "inquire_then_resend"])
def test_what_never_arrived_is_sent_again(
    processor: SandboxPartner, tmp_path: Path, mode: str
) -> None:
    """After the inquiry said so."""
    document = house(
        tmp_path, processor.port, idempotency=OWN_KEYS,
        inquiries={"authorize": INQUIRY}, settle={"authorize": mode},
    )  # fmt: skip
    with Sidecar(document, tmp_path) as sidecar:
        processor.set_faults(NEVER_GETS_IT)
        first = pay(sidecar)
        processor.clear()
        replies = pay_until(sidecar, done)
    assert first.header("tidegate-execution") == "unknown"
    assert replies[-1].header("tidegate-replayed") is None
    assert operations(processor) == ["authorize"]


@pytest.mark.parametrize("own_keys", [True, False])
def test_a_reversal_undoes_what_was_executed(
    processor: SandboxPartner, tmp_path: Path, own_keys: bool
) -> None:
    """Once, and then the key is free: one charge stands in the end."""
    document = house(
        tmp_path, processor.port,
        reversals={"authorize": REVERSAL}, settle={"authorize": "reverse"},
    )  # fmt: skip
    if own_keys:
        document["partners"]["partner"]["idempotency"] = OWN_KEYS
    else:
        document["routes"][0]["headers"] = {"remove": ["Idempotency-Key"]}
    with Sidecar(document, tmp_path) as sidecar:
        processor.set_faults(EXECUTES_AND_HANGS)
        first = pay(sidecar)
        processor.clear()
        replies = pay_until(sidecar, done)
        again = pay(sidecar)
    assert first.header("tidegate-execution") == "unknown"
    assert {reply.status for reply in replies[:-1]} <= {409}
    assert json.loads(replies[-1].body)["status"] == "succeeded"
    assert (again.body, again.header("tidegate-replayed")) == (replies[-1].body, "true")
    assert operations(processor) == ["authorize", "void", "authorize"]
    charge, void, second = processor.ledger()
    assert void["charge"] == charge["id"] != second["id"]
    if own_keys:
        keys = {row["idempotency_key"] for row in (charge, void, second)}
        assert len(keys) == 3, "under the first one's key the undone answer would come again"


def test_a_reversal_that_is_lost_is_sent_again(processor: SandboxPartner, tmp_path: Path) -> None:
    """Over a kill, too: it is undone once, and one charge stands in the end."""
    document = house(
        tmp_path, processor.port,
        reversals={"authorize": REVERSAL}, settle={"authorize": "reverse"}, idempotency=OWN_KEYS,
    )  # fmt: skip
    void_hangs = {"kind": "hang", "execute": "before", "match": {"operation": "void"}}
    with Sidecar(document, tmp_path) as sidecar:
        processor.set_faults(EXECUTES_AND_HANGS, void_hangs)
        pay(sidecar)
        give_up_at = time.monotonic() + WITHIN_S
        while operations(processor) != ["authorize", "void"]:
            assert time.monotonic() < give_up_at
            time.sleep(0.05)
        told = pay(sidecar)
        sidecar.kill()
    assert b"being reversed" in told.body
    processor.clear()
    with Sidecar(document, tmp_path / "again") as sidecar:
        pay_until(sidecar, done)
    assert operations(processor) == ["authorize", "void", "authorize"]


def test_to_wait_is_to_do_nothing(processor: SandboxPartner, tmp_path: Path) -> None:
    """Neither a repetition nor an inquiry, whatever the partner would allow."""
    document = house(
        tmp_path, processor.port, idempotency=OWN_KEYS,
        inquiries={"authorize": INQUIRY}, settle={"authorize": "wait"},
    )  # fmt: skip
    with Sidecar(document, tmp_path) as sidecar:
        processor.set_faults(EXECUTES_AND_HANGS)
        pay(sidecar)
        time.sleep(2.0)
        assert json.loads(pay(sidecar).body)["reason"] == "in_doubt"
    assert processor.stats()["requests"] == 1


def test_questions_carry_a_token_and_the_application_does_not_see_it(tmp_path: Path) -> None:
    """Fetched from the partner's own upstream; it stands in no log, no metric and no journal."""
    token, secret = "tok3n-canary", "s3cret-canary"
    seen: list[tuple[str, str | None]] = []

    def partner(peer: Peer) -> None:
        while True:
            received = peer.read_request()
            seen.append((received.target, received.header("authorization")))
            if received.target == "/token":
                body = json.dumps({"access_token": token, "expires_in": 600}).encode()
                peer.send(answer(200, body))
            elif received.method == "POST":
                peer.send(answer(500, b"{}", reason="Internal Server Error"))
            elif received.header("authorization") == f"Bearer {token}":
                peer.send(answer(200, b'{"data": [{"id": "ch_1"}]}'))
            else:
                peer.send(answer(401, b"{}", reason="Unauthorized"))

    oauth2 = {
        "upstream": "a", "target": "/token", "client_id": "me", "client_secret": "${SECRET}",
    }  # fmt: skip
    with Origin(partner) as origin:
        document = house(
            tmp_path, origin.port,
            inquiries={"authorize": INQUIRY}, settle={"authorize": "inquire"},
            credentials={"oauth2": oauth2},
        )  # fmt: skip
        with Sidecar(document, tmp_path, environment={"SECRET": secret}) as sidecar:
            replies = pay_until(sidecar, done)
            metrics = sidecar.admin_get("/metrics")
            assert sidecar.stop() == 0
            said = sidecar.stdout + sidecar.stderr + metrics
    assert replies[0].status == 500, (
        "a complete answer that means unknown is settled in the same way"
    )
    assert [target for target, _ in seen] == [
        "/v1/charges", "/token", "/v1/charges?reference=order-1",
    ]  # fmt: skip
    assert seen[0][1] is None
    for hidden in (token, secret):
        assert hidden not in said
        for file in tmp_path.glob("j.db*"):
            assert hidden.encode() not in file.read_bytes()

"""The journal in the real process: one key, one execution, whoever dies in between."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support import config
from tests.support.client import Client, Reply, request
from tests.support.origin import Origin
from tests.support.peer import Peer, answer
from tests.support.sidecar import Sidecar, SidecarError
from tests.support.values import CARD

BODY = b'{"amount": 100}'
OWN_KEYS = {"header": "Idempotency-Key"}


def house(
    folder: Path, origins: Sequence[Origin], *, own_keys: bool = False, **route: Any
) -> config.Document:
    """A sidecar with a journal; the origins are upstreams a, b ... of one partner."""
    upstreams = {
        name: config.upstream(origin.port, timeouts={"first_byte": "2s"}, pool={"linger": "1s"})
        for name, origin in zip("abc", origins, strict=False)
    }
    routes = [config.route("/psp/", list(upstreams), **route)]
    document = config.document(upstreams, routes, journal={"path": str(folder / "j.db")})
    if own_keys:
        document["partners"]["partner"]["idempotency"] = OWN_KEYS
    return document


def pay(sidecar: Sidecar, key: str, body: bytes = BODY) -> Reply:
    """One payment under a key, on a connection of its own."""
    with Client(sidecar.payments) as client:
        return client.call("POST", "/psp/x", body, [("Idempotency-Key", key)])


def numbered(peer: Peer) -> None:
    """Each answer is different, so that a replay cannot pass for an execution."""
    while True:
        peer.read_request()
        peer.send(answer(201, b"charge %d" % time.monotonic_ns(), reason="Created"))


def test_a_key_executes_once_and_its_answer_is_given_again(tmp_path: Path) -> None:
    """Byte for byte, marked, without another attempt; also after a restart."""
    with Origin(numbered) as origin:
        document = house(tmp_path, [origin])
        with Sidecar(document, tmp_path) as sidecar:
            first, again = pay(sidecar, "k1"), pay(sidecar, '"k1"')
            assert sidecar.stop() == 0
        with Sidecar(document, tmp_path) as sidecar:
            later = pay(sidecar, "k1")
        assert (first.status, first.header("tidegate-replayed")) == (201, None)
        for reply in (again, later):
            assert (reply.status, reply.body) == (201, first.body)
            assert reply.header("tidegate-replayed") == "true"
            assert reply.header("tidegate-attempts") == "0"
        assert len(origin.received) == 1


def test_another_payment_under_a_used_key_is_refused(tmp_path: Path) -> None:
    """422, and nothing is sent; white space and the order of members make no other payment."""
    with Origin(numbered) as origin, Sidecar(house(tmp_path, [origin]), tmp_path) as sidecar:
        first = pay(sidecar, "k1", b'{"amount": 100, "currency": "EUR"}')
        same = pay(sidecar, "k1", b'{"currency":"EUR","amount":100}')
        other = pay(sidecar, "k1", b'{"amount": 100.0, "currency": "EUR"}')
        assert same.body == first.body
        assert (other.status, json.loads(other.body)["reason"]) == (422, "key_reused")
        assert len(origin.received) == 1


def test_concurrent_duplicates_are_one_execution(tmp_path: Path) -> None:
    """All of them get its answer, since they wait for it."""

    def slow(peer: Peer) -> None:
        peer.read_request()
        time.sleep(0.3)
        peer.send(answer(201, b"done", reason="Created"))

    with Origin(slow) as origin, Sidecar(house(tmp_path, [origin]), tmp_path) as sidecar:
        with ThreadPoolExecutor(50) as pool:
            replies = list(pool.map(lambda _: pay(sidecar, "k1"), range(50)))
        assert [(reply.status, reply.body) for reply in replies] == [(201, b"done")] * 50
        assert len(origin.received) == 1


@pytest.mark.parametrize("own_keys", [False, True])
def test_a_sidecar_that_is_killed_leaves_a_doubt_and_not_a_second_charge(
    tmp_path: Path, own_keys: bool
) -> None:
    """Without keys of the partner's own the retry is refused; with them it is repeated under the
    same key, at the same upstream, and never at another.
    """
    sent, release = threading.Event(), threading.Event()

    def hold(peer: Peer) -> None:
        peer.read_request()
        sent.set()
        release.wait(10)

    with Origin(hold) as origin, Origin(numbered) as other:
        document = house(tmp_path, [origin, other], own_keys=own_keys)
        with Sidecar(document, tmp_path) as sidecar, Client(sidecar.payments) as client:
            client.send(request("POST", "/psp/x", BODY, [("Idempotency-Key", "k1")]))
            assert sent.wait(10)
            sidecar.kill()
        release.set()
        origin.script = numbered
        with Sidecar(document, tmp_path) as sidecar:
            retried = pay(sidecar, "k1")
            assert "1 calls in doubt" in sidecar.stderr
        keys = [received.header("idempotency-key") for received in origin.received]
        assert other.received == []
        if own_keys:
            assert (retried.status, retried.header("tidegate-execution")) == (201, "done")
            assert keys[0] == keys[1]
            assert keys[0] != "k1", "the partner's key is ours"
        else:
            assert retried.status == 409
            assert json.loads(retried.body)["reason"] == "in_doubt"
            assert retried.header("tidegate-execution") == "unknown"
            assert keys == ["k1"]


def test_a_repetition_that_finds_its_upstream_down_goes_nowhere_else(tmp_path: Path) -> None:
    """Partners do not share keys between their endpoints: elsewhere it would be a new charge."""

    def drop(peer: Peer) -> None:
        peer.read_request()
        peer.reset()

    with Origin(drop) as origin, Origin(numbered) as other:
        with Sidecar(house(tmp_path, [origin, other], own_keys=True), tmp_path) as sidecar:
            assert pay(sidecar, "k1").status == 502
            origin.close()
            retried = pay(sidecar, "k1")
            assert (retried.status, retried.header("tidegate-execution")) == (409, "unknown")
        assert other.received == []


def test_a_call_that_was_never_sent_leaves_its_key_free(tmp_path: Path) -> None:
    """The retry is a first sending."""
    with Origin(numbered) as origin:
        document = house(tmp_path, [origin])
        nobody = Origin()
        nobody.close()
        upstreams = document["partners"]["partner"]["upstreams"]
        upstreams["a"]["url"] = f"http://127.0.0.1:{nobody.port}"
        with Sidecar(document, tmp_path) as sidecar:
            assert pay(sidecar, "k1").header("tidegate-execution") == "none"
        with Sidecar(house(tmp_path, [origin]), tmp_path) as sidecar:
            assert pay(sidecar, "k1").status == 201


def test_a_caller_that_hangs_up_finds_its_answer(tmp_path: Path) -> None:
    """The call belongs to the journal as soon as it was sent."""
    sent, release = threading.Event(), threading.Event()

    def hold(peer: Peer) -> None:
        peer.read_request()
        sent.set()
        release.wait(10)
        peer.send(answer(201, b"done", reason="Created"))

    with Origin(hold) as origin, Sidecar(house(tmp_path, [origin]), tmp_path) as sidecar:
        with Client(sidecar.payments) as client:
            client.send(request("POST", "/psp/x", BODY, [("Idempotency-Key", "k1")]))
            assert sent.wait(10)
        release.set()
        assert pay(sidecar, "k1").body == b"done"
        assert len(origin.received) == 1


def test_one_journal_serves_one_sidecar(tmp_path: Path) -> None:
    """A second process is kept out, and told which file and what to do."""
    with Origin() as origin, Sidecar(house(tmp_path, [origin]), tmp_path):
        with pytest.raises(SidecarError, match=r"j\.db is in use by another sidecar"):
            Sidecar(house(tmp_path, [origin]), tmp_path / "second")


def test_no_card_number_reaches_the_disk(tmp_path: Path) -> None:
    """From no part of a request, not even from the fields that a key is made from."""
    fields = {"key": "fields", "fields": ["/card/number", "/amount"]}
    body = json.dumps({"amount": 1, "card": {"number": CARD}}).encode()
    with Origin(numbered) as origin:
        document = house(tmp_path, [origin], idempotency=fields)
        with Sidecar(document, tmp_path) as sidecar, Client(sidecar.payments) as client:
            target = f"/psp/{CARD}?card={CARD}"
            first = client.call("POST", target, body, [("X-Card", CARD)])
            again = client.call("POST", target, body, [("X-Card", CARD)])
            assert (first.status, again.header("tidegate-replayed")) == (201, "true")
            assert sidecar.stop() == 0
    files = [file for file in tmp_path.iterdir() if file.is_file()]
    assert {"j.db", "j.db.keys", "j.db.lock", "j.db.ballast"} <= {file.name for file in files}
    for file in files:
        assert CARD.encode() not in file.read_bytes(), file.name

"""Calls full of secrets, down every path that a call can take, and the partner who gives some back.

Keys and the reference that `inquiries` names are kept in the clear, so the canaries
stand everywhere but there.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.support import canary, config
from tests.support.client import Client, Reply, request
from tests.support.origin import Origin
from tests.support.peer import Peer, Received, answer
from tests.support.sidecar import Sidecar
from tests.support.values import CARD

CODE = "cvv-7Q3Z7XK2M9"
CREDENTIAL = "sk_canary_QmZ4w8Tn2LxV6rJp"
TOKEN = "tok_canary_9fKd3WsXb7"
SEALING = "8badf00d5ca1ab1e" * 4
SECRETS = {
    "card": CARD.encode(), "code": CODE.encode(), "credential": CREDENTIAL.encode(),
    "token": TOKEN.encode(), "sealing key": SEALING.encode(),
    "sealing key, raw": bytes.fromhex(SEALING),
}  # fmt: skip
ENVIRONMENT = {"CREDENTIAL": CREDENTIAL, "TOKEN": TOKEN, "SEALING": SEALING}
SENT = [("Tidegate-Token", TOKEN), *canary.as_headers(CARD), *canary.as_headers(CODE)]
QUERY = f"/psp/{CARD}?{canary.as_query(CARD)}"
TEXTS = [
    each.decode("latin-1") for value in (CARD, CODE) for each in canary.disguised(value).values()
]
BODY = json.dumps({"amount": 1, "card": {"number": CARD, "cvc": CODE}, "also": TEXTS}).encode()
CARDS = json.dumps({"card": [each.decode("latin-1") for each in canary.disguised(CARD).values()]})
RAW = b"\n".join(each for value in (CARD, CODE) for each in canary.disguised(value).values())


def partner(peer: Peer) -> None:
    """Says the card in its answer, or all that it was told, and ends as the call wants."""
    while True:
        received = peer.read_request()
        ending = received.header("x-ending")
        if ending == "reset":
            peer.reset()
            return
        said = _echo(received) if ending == "200" else CARDS.encode()
        peer.send(answer(int(ending or 201), said, [("X-Echo", CARD)], reason="Said"))


def _echo(received: Received) -> bytes:
    return b'{"you said": %b}' % json.dumps(received.body.decode("latin-1")).encode()


def document(folder: Path, origin: Origin, **over: Any) -> config.Document:
    """Two routes: one takes the key from the header, one makes it from the card's own number.

    `over` is added to both.
    """
    credentials = {"set": {"Authorization": "Bearer ${CREDENTIAL}"}}
    fields = {"key": "fields", "fields": ["/card/number", "/amount"]}
    return config.document(
        {"a": config.upstream(origin.port, headers=credentials)},
        [
            config.route("/psp/", ["a"], idempotency={"key": "required"}, **over),
            config.route("/derived/", ["a"], idempotency=fields, **over),
        ],
        listen={"token": "${TOKEN}"},
        journal={
            "path": str(folder / "j.db"),
            "timeout_commit": "50ms",
            "sealing_keys": [{"id": "one", "key": "${SEALING}"}],
        },
    )


class Caller:
    """Makes calls full of canaries, and keeps the replies that no partner gave."""

    def __init__(self, sidecar: Sidecar) -> None:
        self._sidecar = sidecar
        self.ours: dict[str, Reply] = {}

    def call(
        self, name: str, target: str = QUERY, body: bytes = BODY, *more: tuple[str, str]
    ) -> Reply:
        """One call with a token and every canary in headers, query and body."""
        return self.raw(name, request("POST", target, body, [*SENT, *more]))

    def pay(self, name: str, key: str, body: bytes = BODY, ending: str = "201") -> Reply:
        """One with a key, and what the partner is to do."""
        return self.call(name, QUERY, body, ("Idempotency-Key", key), ("X-Ending", ending))

    def raw(self, name: str, data: bytes) -> Reply:
        """These bytes."""
        with Client(self._sidecar.payments) as client:
            client.send(data)
            reply = client.receive()
        if reply.outcome != "answered":
            self.ours[name] = reply
        return reply


def endings(caller: Caller, journal: Path) -> dict[str, int]:
    """Every path a call can take; the statuses."""
    told = {
        "success": caller.pay("success", "k1"),
        "replay": caller.pay("replay", "k1"),
        "mismatch": caller.pay("mismatch", "k1", RAW),
        "raw": caller.pay("raw", "k2", RAW),
        "echo": caller.pay("echo", "k10", ending="200"),
        "echo again": caller.pay("echo again", "k10"),
        "decline": caller.pay("decline", "k3", ending="402"),
        "unknown": caller.pay("unknown", "k4", ending="500"),
        "unknown again": caller.pay("unknown again", "k4"),
        "in doubt": caller.pay("in doubt", "k5", ending="reset"),
        "in doubt again": caller.pay("in doubt again", "k5"),
        "busy partner": caller.pay("busy partner", "k6", ending="429"),
        "derived": caller.call("derived", f"/derived/{CARD}"),
        "derived again": caller.call("derived again", f"/derived/{CARD}"),
        "underived": caller.call("underived", f"/derived/{CARD}", RAW),
        "no key": caller.call("no key"),
        "a bad key": caller.pay("a bad key", f'"{CARD}'),
        "no route": caller.call("no route", f"/nowhere/{CARD}"),
        "a bad deadline": caller.call(
            "a bad deadline", QUERY, BODY, ("Tidegate-Deadline-Ms", CARD), ("Idempotency-Key", "k7")
        ),
        "a bad token": caller.raw(
            "a bad token", request("POST", QUERY, BODY, [("Tidegate-Token", CODE), *SENT[1:]])
        ),
        "a bad request": caller.raw(
            "a bad request", f"POST {QUERY} HTTP/1.1\r\nHost: localhost\r\n{CARD}\r\n\r\n".encode()
        ),
        "chunks": caller.raw("chunks", _chunked("k8")),
    }
    with locked(journal):
        told["journal away"] = caller.pay("journal away", "k9")
    return {name: reply.status for name, reply in told.items()}


def _chunked(key: str) -> bytes:
    """Cut so that a chunk ends within each canary."""
    fields = [*SENT, ("Idempotency-Key", key), ("Transfer-Encoding", "chunked")]
    head = request("POST", QUERY, None, fields)
    pieces = (BODY[at : at + 7] for at in range(0, len(BODY), 7))
    return head + b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in pieces) + b"0\r\n\r\n"


@contextmanager
def locked(journal: Path) -> Iterator[None]:
    """Somebody else holds the file, so that no change becomes durable in time."""
    with closing(sqlite3.connect(journal, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


EXPECTED = {
    "success": 201, "replay": 201, "mismatch": 422, "raw": 201, "decline": 402,
    "echo": 200, "echo again": 409, "unknown": 500,
    "unknown again": 409, "in doubt": 502, "in doubt again": 409, "busy partner": 429,
    "derived": 201, "derived again": 201, "underived": 400, "no key": 400, "a bad key": 400,
    "no route": 404, "a bad deadline": 400, "a bad token": 401, "a bad request": 400,
    "chunks": 201, "journal away": 503,
}  # fmt: skip

"""A disk that fills up under load: new payments wait outside, and none that was sent is lost.

The journal lies on a file system of a few megabytes, made in a namespace of the
sidecar's own, for which nobody needs to be root.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from tests.support import config
from tests.support.client import Client, Reply
from tests.support.origin import Origin
from tests.support.peer import Peer, answer
from tests.support.sidecar import Sidecar

DISK = "24m"
"""The ballast, and as much again as half of it."""
ANSWER_BYTES = 48 * 1024
IN_FLIGHT = 16
REFUSED_MIN = 20
NEW_MAX = 2000
BACK_S = 15.0


class Shop:
    """A sidecar on a small disk, a partner that can be made to wait, and who asked for what."""

    def __init__(self, folder: Path) -> None:
        self._place = folder / "small"
        self._place.mkdir()
        self.answers = Event()
        """Set: those that were held are answered."""
        self.replies: dict[str, Reply] = {}
        self.origin = Origin(self._partner)
        mount = f'mount -t tmpfs -o size={DISK} none \'{self._place}\' && exec "$0" "$@"'
        route = config.route("/psp/", ["a"], idempotency={"key": "required"}, deadline="30s")
        self.sidecar = Sidecar(
            config.document(
                {"a": config.upstream(self.origin.port)},
                [route],
                journal={"path": str(self._place / "j.db")},
            ),
            folder,
            within=("unshare", "--map-root-user", "--mount", "sh", "-c", mount),
        )

    @property
    def disk(self) -> Path:
        """The small disk as the sidecar sees it."""
        return Path(f"/proc/{self.sidecar.process.pid}/root{self._place}")

    def _partner(self, peer: Peer) -> None:
        while True:
            received = peer.read_request()
            key = received.header("idempotency-key")
            assert key is not None
            if key.startswith("held"):
                assert self.answers.wait(60)
            body = f"{key} {time.monotonic_ns()} ".encode().ljust(ANSWER_BYTES, b".")
            peer.send(answer(201, body, reason="Created"))

    def pay(self, key: str) -> Reply:
        """One payment; an answer must stay what it was."""
        with Client(self.sidecar.payments, 60.0) as client:
            reply = client.call("POST", "/psp/x", b"{}", [("Idempotency-Key", key)])
        if reply.status == 201:
            assert self.replies.setdefault(key, reply).body == reply.body
        return reply

    def executed(self) -> Counter[str | None]:
        """The ledger: how often each key came."""
        return Counter(each.header("idempotency-key") for each in self.origin.received)

    def fill(self) -> Path:
        """Take every byte that is left; the file that has them."""
        filler = self.disk / "filler"
        with filler.open("wb", buffering=0) as file:
            for size in (1 << 16, 1 << 12):
                try:
                    while file.write(b"x" * size):
                        pass
                except OSError:
                    continue
        return filler


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Open, and closed at the end."""
    made = Shop(tmp_path)
    with made.sidecar, made.origin:
        yield made
        made.answers.set()


def test_a_full_disk_refuses_what_is_new_and_keeps_what_was_sent(shop: Shop) -> None:
    """And takes payments again as soon as there is room, by itself."""
    for number in range(10):
        assert shop.pay(f"before-{number}").status == 201
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        held = [f"held-{number}" for number in range(IN_FLIGHT)]
        asked = [pool.submit(shop.pay, key) for key in held]
        shop.origin.wait_received(10 + IN_FLIGHT)
        filler = shop.fill()
        refused = _refused(shop)
        shop.answers.set()
        assert [each.result().status for each in asked] == [201] * IN_FLIGHT
    refused += [key for key in ("full-1", "full-2") if shop.pay(key).status == 503]
    filler.unlink()
    _comes_back(shop, refused[0])
    assert [shop.pay(key).status for key in refused[1:]] == [201] * (len(refused) - 1)
    for key in list(shop.replies):
        assert shop.pay(key).header("tidegate-replayed") == "true"
    assert shop.executed() == Counter(shop.replies.keys()), "none twice, none lost"
    said = [line for line in shop.sidecar.stderr.splitlines() if "journal's disk" in line]
    assert [line.rpartition(" ")[2] for line in said] == ["room", "again"]
    assert shop.sidecar.stop() == 0


def _refused(shop: Shop) -> list[str]:
    """Keys of new payments that were refused, and never sent."""
    refused = []
    for number in range(NEW_MAX):
        reply = shop.pay(f"new-{number}")
        assert reply.status in (201, 503)
        if reply.status == 503:
            assert reply.problem["reason"] == "journal_unavailable"
            refused.append(f"new-{number}")
        if len(refused) == REFUSED_MIN:
            break
    assert len(refused) == REFUSED_MIN
    assert not set(refused) & set(shop.executed())
    return refused


def _comes_back(shop: Shop, key: str) -> None:
    """Without a restart, soon after there is room."""
    give_up_at = time.monotonic() + BACK_S
    while shop.pay(key).status != 201:
        assert time.monotonic() < give_up_at
        time.sleep(0.05)

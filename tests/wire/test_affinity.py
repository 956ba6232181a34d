"""What belongs to a payment stays with its partner: the real process, partners with ledgers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loadtests.incidents.postgres import PostgresServer
from proxy.sandbox.client import SandboxPartner
from tests.support import config
from tests.support.client import Client, Reply
from tests.support.postgres import SECRET, new_journal
from tests.support.sidecar import Sidecar

BODY = {"amount": 1000, "currency": "EUR", "reference": "order-1", "card": {"scheme": "visa"}}
BUSY = {"kind": "status", "execute": "never", "status": 429,
        "match": {"operation": "authorize"}}  # fmt: skip
HANGS = {"kind": "hang", "execute": "before", "match": {"operation": "authorize"}}
NORTH, SOUTH = "north", "south"


class Town:
    """Two partners, and a sidecar that can be started again with what it remembers.

    The partners know other towns' payments, too: keys are this town's own, and their ledgers
    are read from where they stood at its beginning.
    """

    def __init__(self, folder: Path, partners: list[SandboxPartner], journal: Any) -> None:
        self.north, self.south = partners
        self._since = {at.name: len(at.ledger()) for at in partners}
        self._folder = folder
        follow = {
            "payment": "path:/captures/v1/charges/{name}/capture",
            "reference": "pointer:/reference",
        }
        voids = {"payment": "path:/voids/v1/charges/{name}/void", "reference": "header:X-Order"}
        both = ["north-a", "south-a"]
        remember = {"reference": "/reference", "payment": "/id"}
        required = {"idempotency": {"key": "required", "group": "shop"}}
        routes = [
            config.route(
                "/pay", both, strip_prefix=True, affinity={"remember": remember}, **required
            ),
            config.route(
                "/captures", both, operation="capture", strip_prefix=True,
                affinity={"follow": follow}, **required,
            ),
            config.route(
                "/voids", both, operation="void", strip_prefix=True, affinity={"follow": voids}
            ),
        ]  # fmt: skip
        self._document = config.document({}, routes, journal=journal)
        limits: dict[str, Any] = {"timeouts": {"first_byte": "700ms"}, "pool": {"linger": "100ms"}}
        self._document["partners"] = {
            at.name: {"upstreams": {f"{at.name}-a": config.upstream(at.port, **limits)}}
            for at in partners
        }

    @contextmanager
    def sidecar(self) -> Iterator[Sidecar]:
        """One life of it."""
        with Sidecar(self._document, self._folder) as sidecar:
            yield sidecar
            assert sidecar.stop() == 0

    def ask(
        self, sidecar: Sidecar, path: str, key: str, body: dict[str, Any], *more: tuple[str, str]
    ) -> Reply:
        """A call on a connection of its own."""
        own = ("Idempotency-Key", f"{self._folder.name}-{key}")
        with Client(sidecar.payments) as client:
            fields = [own, ("Content-Type", "application/json"), *more]
            return client.call("POST", path, json.dumps(body).encode(), fields)

    def ledger(self, partner: SandboxPartner) -> list[dict[str, Any]]:
        """What this partner did in this town, in order."""
        return partner.ledger(self._since[partner.name])

    def executed(self) -> dict[str, list[str]]:
        """What each partner did, in order."""
        both = (self.north, self.south)
        return {at.name: [row["operation"] for row in self.ledger(at)] for at in both}


class Partners:
    """Two processes with ledgers for all towns; one that a test has killed begins again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._both = [self._start(NORTH), self._start(SOUTH)]

    def _start(self, name: str) -> SandboxPartner:
        return SandboxPartner.start("processor", name, ledger=self._folder / name, latency_p50_ms=1)

    def well(self) -> list[SandboxPartner]:
        """Both, without faults."""
        self._both = [self._start(at.name) if _dead(at) else at for at in self._both]
        for at in self._both:
            at.clear()
        return self._both

    def stop(self) -> None:
        """End both."""
        for at in self._both:
            if not _dead(at):
                at.stop()


def _dead(partner: SandboxPartner) -> bool:
    return partner.process.poll() is not None


@pytest.fixture(scope="module")
def partners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partners]:
    """The module's."""
    made = Partners(tmp_path_factory.mktemp("partners"))
    yield made
    made.stop()


@pytest.fixture(params=["file", "shared"])
def town(request: pytest.FixtureRequest, tmp_path: Path, partners: Partners) -> Town:
    """With a journal of each kind."""
    journal: dict[str, Any] = {"path": str(tmp_path / "j.db")}
    if request.param == "shared":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = asyncio.run(new_journal(server))
        keys = [{"id": "k", "key": "ab" * 32}]
        journal = {"shared": {"url": url, "secret": SECRET.hex()}, "sealing_keys": keys}
    return Town(tmp_path, partners.well(), journal)


def reason(reply: Reply) -> tuple[int, str, str | None]:
    """Of a refusal: status, reason, execution."""
    told = reply.header("tidegate-execution")
    return reply.status, json.loads(reply.body)["reason"], told


def test_a_capture_follows_a_payment_that_moved_over_a_restart(town: Town) -> None:
    """North was busy, so south authorised; north is well again, and never hears of it."""
    with town.sidecar() as sidecar:
        town.north.set_faults(BUSY)
        paid = town.ask(sidecar, "/pay/v1/charges", "k1", BODY)
        assert (paid.status, paid.header("tidegate-upstream")) == (200, "south-a")
        town.north.clear()
        elsewhere = town.ask(sidecar, "/pay/v1/charges", "k2", {**BODY, "reference": "order-2"})
        assert elsewhere.header("tidegate-upstream") == "north-a"
    charge = json.loads(paid.body)["id"]
    with town.sidecar() as sidecar:
        taken = town.ask(sidecar, f"/captures/v1/charges/{charge}/capture", "c1", {})
        assert (taken.status, taken.header("tidegate-upstream")) == (200, "south-a")
        again = town.ask(sidecar, f"/captures/v1/charges/{charge}/capture", "c1", {})
        assert again.header("tidegate-replayed") == "true"
        other = json.loads(elsewhere.body)["id"]
        voided = town.ask(sidecar, f"/voids/v1/charges/{other}/void", "v1", {})
        assert (voided.status, voided.header("tidegate-upstream")) == (200, "north-a")
    assert "its payment's name is known at south-a" in sidecar.stdout
    assert town.executed() == {NORTH: ["authorize", "void"], SOUTH: ["authorize", "capture"]}


def test_a_payment_that_nobody_knows_is_refused_and_its_key_is_free(town: Town) -> None:
    """Nothing is sent, and that is proven; by the order's name it is found after all."""
    with town.sidecar() as sidecar:
        town.north.set_faults(BUSY)
        paid = town.ask(sidecar, "/pay/v1/charges", "k1", BODY)
        assert paid.header("tidegate-upstream") == "south-a"
        unknown = town.ask(sidecar, "/captures/v1/charges/ch_none/capture", "c1", {})
        assert reason(unknown) == (409, "affinity_unknown", "none")
        assert unknown.header("tidegate-attempts") == "0"
        found = town.ask(
            sidecar, "/captures/v1/charges/ch_none/capture", "c1", {"reference": "order-1"}
        )
        assert (found.status, found.header("tidegate-upstream")) == (404, "south-a")
    assert town.executed() == {NORTH: [], SOUTH: ["authorize"]}


def test_a_payment_in_doubt_is_voided_where_it_was_sent(town: Town) -> None:
    """By the order's name, for the partner's was never heard."""
    with town.sidecar() as sidecar:
        town.north.set_faults(HANGS)
        doubtful = town.ask(sidecar, "/pay/v1/charges", "k1", BODY)
        assert doubtful.header("tidegate-execution") == "unknown"
        (row,) = town.ledger(town.north)
        path = f"/voids/v1/charges/{row['id']}/void"
        voided = town.ask(sidecar, path, "v1", {}, ("X-Order", "order-1"))
        assert (voided.status, voided.header("tidegate-upstream")) == (200, "north-a")
    assert town.executed() == {NORTH: ["authorize", "void"], SOUTH: []}


def test_a_partner_that_is_gone_does_not_lose_its_payments(town: Town) -> None:
    """Its breaker opens, and captures are refused by it: none of them goes to the other."""
    with town.sidecar() as sidecar:
        paid = town.ask(sidecar, "/pay/v1/charges", "k1", BODY)
        assert paid.header("tidegate-upstream") == "north-a"
        charge = json.loads(paid.body)["id"]
        town.north.kill()
        for number in range(8):
            refused = town.ask(sidecar, f"/captures/v1/charges/{charge}/capture", f"c{number}", {})
            assert refused.header("tidegate-execution") == "none"
            assert refused.header("tidegate-upstream") == "north-a"
        with Client(sidecar.admin) as client:
            given = (b'{"upstream": "south-a", "reason": "north is gone"}',
                     [("Content-Type", "application/json")])  # fmt: skip
            client.call("PUT", "/routes/captures/force", *given, host="127.0.0.1")
        forced = town.ask(sidecar, f"/captures/v1/charges/{charge}/capture", "c9", {})
        assert reason(forced) == (503, "affinity_elsewhere", "none")
    assert town.executed()[SOUTH] == []


def test_no_name_stands_in_the_journal(town: Town, tmp_path: Path) -> None:
    """Neither the order's nor the partner's, as long as no partner is asked by it."""
    with town.sidecar() as sidecar:
        paid = town.ask(
            sidecar, "/pay/v1/charges", "k1", {**BODY, "reference": "order-4711-canary"}
        )
        assert paid.status == 200
    names = [b"order-4711-canary", json.loads(paid.body)["id"].encode()]
    for file in tmp_path.glob("j.db*"):
        assert not any(name in file.read_bytes() for name in names), file

"""Rules for the Stripe-like processor."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from proxy.sandbox.ledger import Ledger
from proxy.sandbox.message import Answer, PartnerRequest
from proxy.sandbox.processor import Processor

BODY: dict[str, Any] = {
    "amount": 1000,
    "currency": "eur",
    "reference": "r",
    "card": {"scheme": "visa"},
}


class Desk:
    """A processor without a server."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.processor = Processor(ledger)
        self._nonces = itertools.count(1)

    async def post(self, path: str, key: str | None = None, **body: Any) -> Answer:
        """POST a body, with a nonce of its own."""
        operation = self.processor.endpoints.operation("POST", path)
        nonce = f"n{next(self._nonces)}"
        asked = PartnerRequest("POST", path, {}, body, operation, nonce, key)
        return await self.processor.answer(asked, _no_work)

    async def get(self, path: str, **query: str) -> Answer:
        """GET with a query."""
        operation = self.processor.endpoints.operation("GET", path)
        asked = PartnerRequest("GET", path, query, {}, operation, "get")
        return await self.processor.answer(asked, _no_work)

    def operations(self) -> list[str]:
        """What the ledger has, in order."""
        return [row["operation"] for row in json.loads(self.ledger.since(0))]


async def _no_work() -> None:
    await asyncio.sleep(0)


@asynccontextmanager
async def desk(path: Path) -> AsyncIterator[Desk]:
    """A processor over a ledger file."""
    ledger = Ledger(path, "p", lambda: None)
    try:
        yield Desk(ledger)
    finally:
        ledger.close()


async def test_a_charge_is_executed_once_and_shown_by_inquiry(tmp_path: Path) -> None:
    """The answer carries what was asked, and both inquiries find it; their nonce is their own."""
    async with desk(tmp_path / "l") as it:
        made = await it.post("/v1/charges", **BODY)
        assert made.status == 200
        assert made.body["status"] == "succeeded"
        assert (made.body["amount"], made.body["currency"]) == (1000, "EUR")
        shown = await it.get(f"/v1/charges/{made.body['id']}")
        assert shown.body["nonce"] == "get"
        listed = await it.get("/v1/charges", reference="r")
        assert [charge["id"] for charge in listed.body["data"]] == [made.body["id"]]
        assert (await it.get("/v1/charges", reference="other")).body["data"] == []
        assert it.operations() == ["authorize"]


async def test_magic_amounts_decline_or_stay_pending(tmp_path: Path) -> None:
    """51 and 54 decline with a reason and move nothing; 68 executes and says pending."""
    async with desk(tmp_path / "l") as it:
        for amount, reason in ((1051, "insufficient_funds"), (54, "expired_card")):
            declined = await it.post("/v1/charges", **{**BODY, "amount": amount})
            assert declined.status == 402
            assert declined.body["error"]["code"] == "card_declined"
            assert declined.body["error"]["decline_code"] == reason
        pending = await it.post("/v1/charges", **{**BODY, "amount": 168})
        assert pending.body["status"] == "pending"
        assert it.operations() == ["decline", "decline", "authorize"]
        assert len((await it.get("/v1/charges", reference="r")).body["data"]) == 1


async def test_what_follows_a_charge_keeps_to_its_amount_and_state(tmp_path: Path) -> None:
    """Capture once, refund up to the amount, void only what is untouched."""
    async with desk(tmp_path / "l") as it:
        charge = (await it.post("/v1/charges", **BODY)).body["id"]
        assert (await it.post(f"/v1/charges/{charge}/capture", amount=1001)).status == 400
        captured = await it.post(f"/v1/charges/{charge}/capture")
        assert (captured.status, captured.body["amount"]) == (200, 1000)
        assert (await it.post(f"/v1/charges/{charge}/capture")).status == 400
        assert (await it.post(f"/v1/charges/{charge}/void")).status == 400
        assert (await it.post("/v1/refunds", charge=charge, amount=600)).status == 200
        assert (await it.post("/v1/refunds", charge=charge, amount=600)).status == 400
        assert (await it.post("/v1/refunds", charge=charge, amount=400)).status == 200
        shown = (await it.get(f"/v1/charges/{charge}")).body
        assert (shown["captured"], shown["amount_refunded"]) == (True, 1000)
        assert it.operations() == ["authorize", "capture", "refund", "refund"]


async def test_a_voided_charge_takes_nothing_more(tmp_path: Path) -> None:
    """After a void there is no capture, refund or second void."""
    async with desk(tmp_path / "l") as it:
        charge = (await it.post("/v1/charges", **BODY)).body["id"]
        assert (await it.post(f"/v1/charges/{charge}/void")).status == 200
        assert (await it.post(f"/v1/charges/{charge}/void")).status == 400
        assert (await it.post(f"/v1/charges/{charge}/capture")).status == 400
        assert (await it.post("/v1/refunds", charge=charge)).status == 400
        assert (await it.get(f"/v1/charges/{charge}")).body["status"] == "voided"


async def test_concurrent_captures_execute_once(tmp_path: Path) -> None:
    """There is no wait between looking at a charge and changing it."""
    async with desk(tmp_path / "l") as it:
        charge = (await it.post("/v1/charges", **BODY)).body["id"]
        path = f"/v1/charges/{charge}/capture"
        answers = await asyncio.gather(*(it.post(path) for _ in range(10)))
        assert sorted(answer.status for answer in answers) == [200] + [400] * 9
        assert it.operations().count("capture") == 1


async def test_keys_and_charges_survive_a_restart_byte_for_byte(tmp_path: Path) -> None:
    """Everything is rebuilt from the ledger: state, keys, and the very answers."""
    async with desk(tmp_path / "l") as it:
        first = await it.post("/v1/charges", "k", **BODY)
        declined = await it.post("/v1/charges", "d", **{**BODY, "amount": 51})
        voided = await it.post(f"/v1/charges/{first.body['id']}/void", "v")
    async with desk(tmp_path / "l") as it:
        for path, key, body, before in (
            ("/v1/charges", "k", BODY, first),
            ("/v1/charges", "d", {**BODY, "amount": 51}, declined),
            (f"/v1/charges/{first.body['id']}/void", "v", {}, voided),
        ):
            again = await it.post(path, key, **body)
            assert list(again.body.items()) == list(before.body.items())
            assert ("Idempotent-Replayed", "true") in again.headers
        assert (await it.post("/v1/charges", "k", **{**BODY, "amount": 2})).status == 400
        assert (await it.get(f"/v1/charges/{first.body['id']}")).body["status"] == "voided"
        assert it.ledger.written == 0


@pytest.mark.parametrize("missing", ["amount", "currency", "reference"])
async def test_a_charge_without_a_field_is_refused_and_keeps_no_key(
    tmp_path: Path, missing: str
) -> None:
    """The 400 names the field; the corrected request may use the same key."""
    async with desk(tmp_path / "l") as it:
        wrong = {name: value for name, value in BODY.items() if name != missing}
        refused = await it.post("/v1/charges", "k", **wrong)
        assert refused.body["error"]["param"] == missing
        assert (await it.post("/v1/charges", "k", **BODY)).status == 200
        assert it.operations() == ["authorize"]


async def test_unknown_things_are_404_and_bad_bodies_400(tmp_path: Path) -> None:
    """Neither makes a row."""
    async with desk(tmp_path / "l") as it:
        assert (await it.post("/v1/charges/ch_0/capture")).status == 404
        assert (await it.post("/v1/charges/ch_0/void")).status == 404
        assert (await it.post("/v1/refunds", charge="ch_0")).status == 404
        assert (await it.get("/v1/charges/ch_0")).status == 404
        assert (await it.get("/v1/charges")).status == 400
        assert (await it.post("/v2/charges")).status == 404
        broken = PartnerRequest("POST", "/v1/charges", {}, {}, "authorize", problem="not JSON")
        assert (await it.processor.answer(broken, _no_work)).status == 400
        assert it.operations() == []


async def test_a_charge_is_undone_by_its_reference(tmp_path: Path) -> None:
    """Once, however often it is asked for; the newest that stands, and none that went further."""
    async with desk(tmp_path / "l") as it:
        assert (await it.post("/v1/charges/void", reference="r")).status == 404
        assert (await it.post("/v1/charges/void")).status == 400
        await it.post("/v1/charges", **BODY)
        first = await it.post("/v1/charges/void", reference="r")
        again = await it.post("/v1/charges/void", reference="r")
        assert (first.status, again.status, again.body["status"]) == (200, 200, "voided")
        assert it.operations() == ["authorize", "void"]
        charge = (await it.post("/v1/charges", **BODY)).body["id"]
        undone = await it.post("/v1/charges/void", reference="r")
        assert undone.body["charge"] == charge
        captured = (await it.post("/v1/charges", **BODY)).body["id"]
        await it.post(f"/v1/charges/{captured}/capture")
        assert (await it.post("/v1/charges/void", reference="r")).status == 400

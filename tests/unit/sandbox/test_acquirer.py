"""Rules for the acquirer without idempotency."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from proxy.sandbox.acquirer import Acquirer
from proxy.sandbox.ledger import Ledger
from proxy.sandbox.message import Answer, PartnerRequest

BODY: dict[str, Any] = {
    "amount": 1000,
    "currency": "EUR",
    "merchantReference": "m",
    "card": {"scheme": "amex"},
}


class Counter:
    """An acquirer without a server."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._acquirer = Acquirer(ledger)

    async def ask(
        self, method: str, path: str, query: str = "", name: str = "merchantReference", **body: Any
    ) -> Answer:
        """One request; `query` is the reference to look up, under a name."""
        operation = self._acquirer.endpoints.operation(method, path)
        looked_up = {name: query} if query else {}
        asked = PartnerRequest(method, path, looked_up, body, operation, "n", "key")
        return await self._acquirer.answer(asked, _no_work)

    def restart(self, path: Path) -> None:
        """Begin another life over the same ledger."""
        self.ledger.close()
        self.ledger = Ledger(path, "a", lambda: None)
        self._acquirer = Acquirer(self.ledger)

    def rows(self) -> list[tuple[str, str]]:
        """Operation and reference of each row."""
        return [(r["operation"], r["reference"]) for r in json.loads(self.ledger.since(0))]


async def _no_work() -> None:
    """A partner that needs no time."""


@pytest.fixture
async def acquirer(tmp_path: Path) -> AsyncIterator[Counter]:
    """An acquirer over a fresh ledger."""
    ledger = Ledger(tmp_path / "l", "a", lambda: None)
    counter = Counter(ledger)
    yield counter
    counter.ledger.close()


async def test_every_post_executes_also_twice_under_one_key(acquirer: Counter) -> None:
    """Two equal payments are two payments, and the inquiry shows both."""
    first = await acquirer.ask("POST", "/payments", **BODY)
    second = await acquirer.ask("POST", "/payments", **BODY)
    assert first.body["resultCode"] == "Authorised"
    assert first.body["pspReference"] != second.body["pspReference"]
    listed = await acquirer.ask("GET", "/payments", "m")
    assert len(listed.body["payments"]) == 2
    assert acquirer.rows() == [("authorize", "m")] * 2


async def test_what_follows_a_payment_executes_as_often_as_it_is_asked(acquirer: Counter) -> None:
    """Captures, refunds and reversals are executed twice when sent twice, under one reference."""
    paid = await acquirer.ask("POST", "/payments", **BODY)
    psp = paid.body["pspReference"]
    for what in ("captures", "refunds", "reversals"):
        for _ in range(2):
            done = await acquirer.ask("POST", f"/payments/{psp}/{what}", amount=400)
            assert done.status == 201
            assert done.body["paymentPspReference"] == psp
    names = ["authorize", "capture", "capture", "refund", "refund", "void", "void"]
    assert acquirer.rows() == [(name, "m") for name in names]


async def test_a_decline_is_an_answer_and_no_authorisation(acquirer: Counter) -> None:
    """Refused with its reason in a 200, as many acquirers do; the ledger says decline."""
    refused = await acquirer.ask("POST", "/payments", **{**BODY, "amount": 151})
    assert (refused.status, refused.body["resultCode"]) == (200, "Refused")
    assert refused.body["refusalReason"] == "insufficient_funds"
    assert acquirer.rows() == [("decline", "m")]


async def test_a_restart_remembers_payments(acquirer: Counter, tmp_path: Path) -> None:
    """What was executed before can be asked for and followed up afterwards."""
    paid = await acquirer.ask("POST", "/payments", **BODY)
    acquirer.restart(tmp_path / "l")
    psp = paid.body["pspReference"]
    shown = await acquirer.ask("GET", f"/payments/{psp}")
    assert shown.body == {**paid.body, "nonce": "n"}
    assert (await acquirer.ask("POST", f"/payments/{psp}/captures")).body["amount"] == 1000


async def test_what_cannot_be_done_makes_no_row(acquirer: Counter) -> None:
    """Unknown payments are 404, missing fields 400 by name."""
    assert (await acquirer.ask("POST", "/payments/psp_0/refunds")).status == 404
    assert (await acquirer.ask("GET", "/payments/psp_0")).status == 404
    assert (await acquirer.ask("GET", "/payments")).status == 400
    assert (await acquirer.ask("PUT", "/payments")).status == 405
    refused = await acquirer.ask("POST", "/payments", amount=1, currency="EUR")
    assert refused.body["error"]["param"] == "merchantReference"
    assert acquirer.rows() == []


async def test_an_inquiry_takes_either_name_of_the_reference(acquirer: Counter) -> None:
    """`reference` finds what `merchantReference` finds."""
    await acquirer.ask("POST", "/payments", **BODY)
    listed = await acquirer.ask("GET", "/payments", "m", name="reference")
    assert [payment["merchantReference"] for payment in listed.body["payments"]] == ["m"]

"""Rules for the 3-D Secure server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from proxy.sandbox.ledger import Ledger
from proxy.sandbox.message import Answer, PartnerRequest
from proxy.sandbox.threeds import ThreeDs


class Server:
    """A 3-D Secure server without a port."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._threeds = ThreeDs(ledger)

    async def post(self, path: str, **body: Any) -> Answer:
        """POST a body."""
        operation = self._threeds.endpoints.operation("POST", path)
        asked = PartnerRequest("POST", path, {}, body, operation, "n")
        return await self._threeds.answer(asked, _no_work)


async def _no_work() -> None:
    """A partner that needs no time."""


@pytest.fixture
async def threeds(tmp_path: Path) -> AsyncIterator[Server]:
    """A server over a fresh ledger."""
    ledger = Ledger(tmp_path / "l", "t", lambda: None)
    yield Server(ledger)
    ledger.close()


@pytest.mark.parametrize(
    ("ending", "decision"),
    [(0, "Y"), (61, "C"), (62, "N"), (63, "U"), (64, "R"), (65, "A")],
)
async def test_the_amount_decides_and_each_authentication_is_counted(
    threeds: Server, ending: int, decision: str
) -> None:
    """The answer follows the last two digits of the amount; each authentication makes one row."""
    body = {"amount": 1000 + ending, "currency": "EUR", "reference": "r"}
    answer = await threeds.post("/3ds/authenticate", **body)
    assert answer.body["transStatus"] == decision
    assert ("acsURL" in answer.body) == (decision == "C")
    assert ("eci" in answer.body) == (decision in "YA")
    rows = json.loads(threeds.ledger.since(0))
    assert [(row["operation"], row["reference"]) for row in rows] == [("authenticate", "r")]


async def test_a_version_is_answered_and_not_counted(threeds: Server) -> None:
    """Asking for versions authenticates nothing."""
    answer = await threeds.post("/3ds/version", card={"scheme": "Visa"})
    assert (answer.status, answer.body["scheme"]) == (200, "visa")
    assert threeds.ledger.written == 0


async def test_what_cannot_be_read_is_refused(threeds: Server) -> None:
    """Missing fields are 400 by name, other paths 404."""
    refused = await threeds.post("/3ds/authenticate", currency="EUR")
    assert (refused.status, refused.body["error"]["param"]) == (400, "amount")
    assert (await threeds.post("/3ds/version", card="x")).status == 400
    assert (await threeds.post("/3ds/challenge")).status == 404
    assert threeds.ledger.written == 0

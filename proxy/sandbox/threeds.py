"""A 3-D Secure server: it authenticates and moves no money.

What it decides depends on the last two digits of the amount: 61 challenge (C),
62 not authenticated (N), 63 unavailable (U), 64 rejected (R), 65 attempted
(A), anything else authenticated (Y).
"""

from __future__ import annotations

from typing import Any

from proxy.sandbox import fields
from proxy.sandbox.endpoints import Endpoints, Work, endpoint
from proxy.sandbox.ledger import Ledger
from proxy.sandbox.message import Answer, PartnerRequest, error

DECISIONS = {61: "C", 62: "N", 63: "U", 64: "R", 65: "A"}
ECI = {"Y": "05", "A": "06"}

_ENDPOINTS = (
    endpoint("POST", "/3ds/version", "other", "version"),
    endpoint("POST", "/3ds/authenticate", "authenticate", "authenticate"),
)


class ThreeDs:
    """One 3-D Secure server; it remembers nothing, its ledger counts authentications."""

    def __init__(self, ledger: Ledger) -> None:
        self.endpoints = Endpoints(_ENDPOINTS)
        self._ledger = ledger

    async def answer(self, request: PartnerRequest, work: Work) -> Answer:
        """Answer one request; see `endpoints.Partner`."""
        found = self.endpoints.find(request.method, request.path)
        if isinstance(found, Answer):
            return found
        if request.problem is not None:
            return error(400, "invalid_body", request.problem)
        await work()
        try:
            fields.card(request.body)
            if found.endpoint.act == "version":
                return _version(request)
            return await self._authenticate(request)
        except fields.FieldError as problem:
            return error(400, "parameter_invalid", problem.message, problem.param)

    async def _authenticate(self, request: PartnerRequest) -> Answer:
        amount = fields.amount(request.body)
        row, stored = self._ledger.write(
            "tds",
            "authenticate",
            reference=request.reference,
            idempotency_key=request.idempotency_key,
            amount=amount,
            currency=fields.currency(request.body),
            scheme=request.scheme,
            nonce=request.nonce,
        )
        await stored
        decision = DECISIONS.get(amount % 100, "Y")
        body: dict[str, Any] = {"threeDSServerTransID": row.id, "transStatus": decision}
        if decision in ECI:
            body["eci"] = ECI[decision]
        if decision == "C":
            body["acsURL"] = "https://acs.example/challenge"
        return Answer(200, {**body, "reference": request.reference})


def _version(request: PartnerRequest) -> Answer:
    body = {"protocolVersionStart": "2.1.0", "protocolVersionEnd": "2.2.0"}
    return Answer(200, {**body, "scheme": request.scheme})

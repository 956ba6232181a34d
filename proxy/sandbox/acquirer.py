"""An acquirer without any idempotency: every POST executes, also the second one.

It keeps no rule about what may follow what, so that its ledger shows exactly
how often it was asked. A duplicate is found in the ledger or by inquiry.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from proxy.sandbox import fields
from proxy.sandbox.endpoints import Endpoints, Work, endpoint
from proxy.sandbox.ledger import Ledger, Row
from proxy.sandbox.message import Answer, PartnerRequest, error
from proxy.sandbox.processor import DECLINES

_ENDPOINTS = (
    endpoint("POST", "/payments", "authorize", "pay"),
    endpoint("POST", "/payments/{id}/captures", "capture", "follow"),
    endpoint("POST", "/payments/{id}/refunds", "refund", "follow"),
    endpoint("POST", "/payments/{id}/reversals", "void", "follow"),
    endpoint("GET", "/payments/{id}", "inquire", "show"),
    endpoint("GET", "/payments", "inquire", "search"),
)


class Acquirer:
    """One acquirer, whose money is in `ledger`."""

    def __init__(self, ledger: Ledger) -> None:
        self.endpoints = Endpoints(_ENDPOINTS)
        self._ledger = ledger
        self._payments: dict[str, Row] = {}
        self._by_reference: dict[str, list[Row]] = defaultdict(list)
        for row in ledger.found:
            self._apply(row)

    async def answer(self, request: PartnerRequest, work: Work) -> Answer:
        """Answer one request; see `endpoints.Partner`."""
        found = self.endpoints.find(request.method, request.path)
        if isinstance(found, Answer):
            return found
        if request.problem is not None:
            return error(400, "invalid_body", request.problem)
        await work()
        if request.method == "GET":
            await self._ledger.durable()
            look: Callable[[PartnerRequest, str], Answer] = getattr(self, f"_{found.endpoint.act}")
            return look(request, found.id)
        try:
            members = self._members(request, found.id)
        except fields.FieldError as problem:
            return error(400, "parameter_invalid", problem.message, problem.param)
        return await self._execute(request, members) if members else _no_such_payment()

    async def _execute(self, request: PartnerRequest, members: dict[str, Any]) -> Answer:
        row, stored = self._ledger.write(
            "psp",
            idempotency_key=request.idempotency_key,
            nonce=request.nonce,
            **members,
        )
        self._apply(row)
        await stored
        return answer_of(row)

    def _members(self, request: PartnerRequest, id_: str) -> dict[str, Any] | None:
        """The members of the row to write; None where there is no such payment."""
        if request.operation == "authorize":
            fields.card(request.body)
            amount = fields.amount(request.body)
            return {
                "operation": "decline" if amount % 100 in DECLINES else "authorize",
                "reference": fields.text(request.body, "merchantReference"),
                "amount": amount,
                "currency": fields.currency(request.body),
                "scheme": request.scheme,
            }
        payment = self._payments.get(id_)
        if payment is None:
            return None
        return {
            "operation": request.operation,
            "reference": request.reference or payment.reference,
            "amount": fields.amount(request.body, payment.amount),
            "currency": payment.currency,
            "scheme": payment.scheme,
            "charge": payment.id,
        }

    def _show(self, request: PartnerRequest, id_: str) -> Answer:
        payment = self._payments.get(id_)
        if payment is None:
            return _no_such_payment()
        return Answer(200, {**answer_of(payment).body, "nonce": request.nonce})

    def _search(self, request: PartnerRequest, _: str) -> Answer:
        reference = request.reference
        if not reference:
            return error(400, "parameter_missing", "reference is needed", "merchantReference")
        rows = self._by_reference.get(reference, [])
        return Answer(200, {"payments": [answer_of(row).body for row in rows]})

    def _apply(self, row: Row) -> None:
        if row.operation in ("authorize", "decline"):
            self._payments[row.id] = row
        if row.reference is not None:
            self._by_reference[row.reference].append(row)


def answer_of(row: Row) -> Answer:
    """The answer to the request that made a row; a decline is a 200, as with many acquirers."""
    body: dict[str, Any] = {
        "pspReference": row.id,
        "merchantReference": row.reference,
        "operation": row.operation,
        "amount": row.amount,
        "currency": row.currency,
        "nonce": row.nonce,
    }
    if row.charge is not None:
        return Answer(201, {**body, "paymentPspReference": row.charge, "status": "received"})
    if row.operation == "decline":
        reason = DECLINES[(row.amount or 0) % 100]
        return Answer(200, {**body, "resultCode": "Refused", "refusalReason": reason})
    return Answer(200, {**body, "resultCode": "Authorised"})


def _no_such_payment() -> Answer:
    return error(404, "not_found", "no such payment", "id")

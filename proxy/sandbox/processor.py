"""A Stripe-like processor: charges with own idempotency keys, and rules on what may follow.

Its state is nothing but its ledger: every row is applied by `_apply`, when it
is written and again when the ledger is read at the next start, and the answer
to whatever made a row is a function of that row alone. So a replay after a
restart has the very bytes of the first answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from proxy.sandbox import fields
from proxy.sandbox.endpoints import Endpoints, Found, Work, endpoint
from proxy.sandbox.keys import Keys
from proxy.sandbox.ledger import Ledger, Row
from proxy.sandbox.message import Answer, PartnerRequest, error

DECLINES = {51: "insufficient_funds", 54: "expired_card"}
"""Last two digits of the amount -> why it is declined; the ISO 8583 response codes."""

PENDING = 68
"""Amounts that end so are executed, but answered `pending` (ISO 8583: response too late)."""

_ENDPOINTS = (
    endpoint("POST", "/v1/charges", "authorize", "charge"),
    endpoint("POST", "/v1/charges/{id}/capture", "capture", "capture"),
    endpoint("POST", "/v1/charges/{id}/void", "void", "void"),
    endpoint("POST", "/v1/charges/void", "void", "undo"),
    endpoint("POST", "/v1/refunds", "refund", "refund"),
    endpoint("GET", "/v1/charges/{id}", "inquire", "show"),
    endpoint("GET", "/v1/charges", "inquire", "search"),
)

Write = Callable[..., tuple[Row, Any]]


@dataclass(slots=True)
class Charge:
    """A charge and what has been done to it since."""

    row: Row
    captured: int = 0
    refunded: int = 0
    voided: bool = False

    def body(self) -> dict[str, Any]:
        """The charge as an inquiry shows it."""
        now = {"amount_captured": self.captured, "amount_refunded": self.refunded}
        status = {"status": "voided"} if self.voided else {}
        return {**_charge_body(self.row), "captured": self.captured > 0, **now, **status}


class Processor:
    """One processor, whose money is in `ledger`."""

    def __init__(self, ledger: Ledger) -> None:
        self.endpoints = Endpoints(_ENDPOINTS)
        self.keys = Keys()
        self._ledger = ledger
        self._charges: dict[str, Charge] = {}
        self._by_reference: dict[str, list[Charge]] = defaultdict(list)
        for row in ledger.found:
            self._apply(row)
            if row.idempotency_key is not None:
                self.keys.restore(row.idempotency_key, row.fingerprint, answer_of(row))

    async def answer(self, request: PartnerRequest, work: Work) -> Answer:
        """Answer one request; see `endpoints.Partner`."""
        found = self.endpoints.find(request.method, request.path)
        if isinstance(found, Answer):
            return found
        if request.problem is not None:
            return error(400, "invalid_body", request.problem)
        if request.method == "GET":
            await work()
            await self._ledger.durable()
            look: Callable[[PartnerRequest, str], Answer] = getattr(self, f"_{found.endpoint.act}")
            return look(request, found.id)
        run = partial(self._run, request, found, work)
        if request.idempotency_key is None:
            return (await run())[0]
        return await self.keys.once(request, request.idempotency_key, work, run)

    async def _run(self, request: PartnerRequest, found: Found, work: Work) -> tuple[Answer, bool]:
        """Execute, or refuse with a reason; there is no wait between the check and the row."""
        await work()
        act = getattr(self, f"_{found.endpoint.act}")
        try:
            done: Answer | dict[str, Any] = act(request, found.id)
        except fields.FieldError as problem:
            return error(400, "parameter_invalid", problem.message, problem.param), False
        if isinstance(done, Answer):
            return done, False
        row, stored = self._ledger.write(
            **done,
            idempotency_key=request.idempotency_key,
            nonce=request.nonce,
            fingerprint=request.fingerprint,
        )
        self._apply(row)
        await stored
        return answer_of(row), True

    def _charge(self, request: PartnerRequest, _: str) -> dict[str, Any]:
        fields.card(request.body)
        amount = fields.amount(request.body)
        return {
            "prefix": "ch",
            "operation": "decline" if amount % 100 in DECLINES else "authorize",
            "reference": fields.text(request.body, "reference"),
            "amount": amount,
            "currency": fields.currency(request.body),
            "scheme": request.scheme,
        }

    def _capture(self, request: PartnerRequest, id_: str) -> dict[str, Any] | Answer:
        charge = self._charges.get(id_)
        if charge is None:
            return _no_such_charge()
        amount = fields.amount(request.body, charge.row.amount)
        if charge.voided or charge.captured:
            return error(400, "charge_not_capturable", "the charge was captured or voided before")
        if amount > (charge.row.amount or 0):
            return error(
                400, "amount_too_large", "the amount is more than was authorised", "amount"
            )
        return _follow_up("capture", "cap", charge.row, request, amount)

    def _void(self, request: PartnerRequest, id_: str) -> dict[str, Any] | Answer:
        charge = self._charges.get(id_)
        if charge is None:
            return _no_such_charge()
        if charge.voided or charge.captured or charge.refunded:
            return error(400, "charge_not_voidable", "the charge was captured, refunded or voided")
        return _follow_up("void", "vo", charge.row, request, charge.row.amount)

    def _undo(self, request: PartnerRequest, _: str) -> dict[str, Any] | Answer:
        """A timeout reversal: the newest charge with the reference; undone once, however often
        it is asked for.
        """
        charges = self._by_reference.get(fields.text(request.body, "reference"))
        if not charges:
            return _no_such_charge()
        standing = [charge for charge in charges if not charge.voided]
        if not standing:
            return Answer(200, {**charges[-1].body(), "nonce": request.nonce})
        if standing[-1].captured or standing[-1].refunded:
            return error(400, "charge_not_voidable", "the charge was captured or refunded")
        row = standing[-1].row
        return _follow_up("void", "vo", row, request, row.amount)

    def _refund(self, request: PartnerRequest, _: str) -> dict[str, Any] | Answer:
        charge = self._charges.get(fields.text(request.body, "charge"))
        if charge is None:
            return _no_such_charge()
        total = charge.row.amount or 0
        amount = fields.amount(request.body, total)
        if charge.voided:
            return error(400, "charge_voided", "the charge was voided")
        if charge.refunded + amount > total:
            return error(400, "amount_too_large", "more than is left of the charge", "amount")
        return _follow_up("refund", "re", charge.row, request, amount)

    def _show(self, request: PartnerRequest, id_: str) -> Answer:
        charge = self._charges.get(id_)
        if charge is None:
            return _no_such_charge()
        return Answer(200, {**charge.body(), "nonce": request.nonce})

    def _search(self, request: PartnerRequest, _: str) -> Answer:
        reference = request.reference
        if not reference:
            return error(400, "parameter_missing", "reference is needed", "reference")
        found = [charge.body() for charge in self._by_reference.get(reference, [])]
        return Answer(200, {"object": "list", "data": found})

    def _apply(self, row: Row) -> None:
        """What a row changes; the same for a new row and for one of an earlier life."""
        if row.operation == "authorize":
            charge = self._charges[row.id] = Charge(row)
            if row.reference is not None:
                self._by_reference[row.reference].append(charge)
        elif row.charge is not None:
            charge = self._charges[row.charge]
            charge.captured += (row.amount or 0) * (row.operation == "capture")
            charge.refunded += (row.amount or 0) * (row.operation == "refund")
            charge.voided = charge.voided or row.operation == "void"


def answer_of(row: Row) -> Answer:
    """The answer to the request that made a row."""
    if row.operation == "decline":
        reason = DECLINES[(row.amount or 0) % 100]
        declined = error(402, "card_declined", "the card was declined").body["error"]
        body = {**declined, "type": "card_error", "decline_code": reason, "charge": row.id}
        return Answer(402, {"error": body, "reference": row.reference, "nonce": row.nonce})
    if row.operation == "authorize":
        return Answer(200, {**_charge_body(row), "captured": False})
    common = {"amount": row.amount, "currency": row.currency, "reference": row.reference}
    body = {"id": row.id, "object": row.operation, "charge": row.charge, "status": "succeeded"}
    return Answer(200, {**body, **common, "nonce": row.nonce})


def _charge_body(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "object": "charge",
        "status": "pending" if (row.amount or 0) % 100 == PENDING else "succeeded",
        "amount": row.amount,
        "currency": row.currency,
        "reference": row.reference,
        "nonce": row.nonce,
    }


def _follow_up(
    operation: str, prefix: str, charge: Row, request: PartnerRequest, amount: int | None
) -> dict[str, Any]:
    """The members of a row about an earlier charge; its reference unless it brings its own."""
    return {
        "prefix": prefix,
        "operation": operation,
        "reference": request.reference or charge.reference,
        "amount": amount,
        "currency": charge.currency,
        "scheme": charge.scheme,
        "charge": charge.id,
    }


def _no_such_charge() -> Answer:
    return error(404, "resource_missing", "no such charge", "id")

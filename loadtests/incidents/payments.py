"""Payments with keys of their own, and everything the application was told of each. PURE."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

PATHS = {
    "processor": "/processor/v1/charges",
    "acquirer": "/acquirer/payments",
    "asked": "/asked/payments",
}
"""What the sidecar is asked for, by partner; see `configured.route`."""


@dataclass(frozen=True, slots=True)
class Told:
    """One reply, whole, or why there was none (`status` 0)."""

    status: int = 0
    execution: str = ""
    outcome: str = ""
    replayed: bool = False
    nonce: str = ""
    """What the partner echoed: whose request this is the answer to."""
    headers: tuple[tuple[str, str], ...] = ()
    """The partner's own, without the sidecar's labels; names in lower case."""
    body: bytes = b""
    error: str = ""

    @property
    def final(self) -> bool:
        """Whether it ends the matter: it is known what was executed."""
        return self.status != 0 and self.execution in ("done", "none")

    def same_answer(self, other: Told) -> bool:
        """Whether both are the same answer of the partner, byte for byte."""
        mine = (self.status, self.headers, self.body)
        return mine == (other.status, other.headers, other.body)


@dataclass(slots=True)
class Payment:
    """What the application wants to happen once; `told` in the order in which it heard."""

    key: str
    partner: str
    amount: int
    path: str
    told: list[Told] = field(default_factory=list)
    reread: Told | None = None
    """What the key was answered when everything was over."""

    @property
    def final(self) -> Told | None:
        """The first reply that ended the matter."""
        return next((reply for reply in self.told if reply.final), None)

    @property
    def done(self) -> list[Told]:
        """Every reply that said it was executed."""
        return [reply for reply in self.told if reply.execution == "done"]

    def body(self) -> bytes:
        """The request's body: processors read `reference`, acquirers `merchantReference`."""
        members = {
            "reference": self.key,
            "merchantReference": self.key,
            "amount": self.amount,
            "currency": "EUR",
            "card": {"scheme": "visa"},
        }
        return json.dumps(members).encode()

    def request(self, authority: str, *, keyed: bool = True) -> bytes:
        """The whole request on the wire; the same bytes at every try."""
        body = self.body()
        lines = [
            f"POST {self.path} HTTP/1.1",
            f"Host: {authority}",
            "Content-Type: application/json",
            f"Sandbox-Nonce: {self.key}",
            *([f"Idempotency-Key: {self.key}"] if keyed else []),
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body

    def line(self) -> str:
        """The payment as one line of a file, for whoever keeps the directory."""
        told = [f"{t.status} {t.execution} {t.error}{' replayed' * t.replayed}" for t in self.told]
        members = {"key": self.key, "partner": self.partner, "amount": self.amount, "told": told}
        return json.dumps(members) + "\n"

    def owns(self, reply: Told) -> bool:
        """Whether a partner's answer is about this payment: by the nonce, reference and amount.

        An answer to an inquiry echoes no nonce, since the application did not ask it.
        """
        if reply.nonce not in ("", self.key):
            return False
        if reply.status >= 300:
            return reply.nonce == self.key
        try:
            members = json.loads(reply.body)
            [about] = members.get("payments", [members])
        except (ValueError, AttributeError, TypeError):
            return False
        references = (about.get("reference"), about.get("merchantReference"))
        return self.key in references and about.get("amount") == self.amount

"""PURE. How later calls of a payment find the one that made it: by a digest of its name.

A name is the application's reference in the request, or the partner's own in the
answer. What is stored is keyed (HMAC), so the journal tells neither, and a copy of it
cannot be searched. It stands on the row itself: written by the commit that claims or
settles the call, gone with the row. A call whose key was released, and one that the
partner has declined, made no payment, and lead nowhere.
"""

from __future__ import annotations

import hmac

from proxy.idempotency.hygiene import Unstorable, plain_body
from proxy.model.affinity import Affinity, Name, Named, tenant_of
from proxy.model.call import Call
from proxy.model.message import Response
from proxy.model.pointer import name_at

_BYTES = 16
_DECLINED = 400


def link(secret: bytes, name: Name) -> bytes:
    """16 bytes. Each part with its length, so that no two names read alike."""
    parts = (name.tenant, name.group, name.named.value, name.text)
    text = "4:link" + "".join(f"{len(part)}:{part}" for part in parts)
    return hmac.digest(secret, text.encode("utf-8", "surrogatepass"), "sha256")[:_BYTES]


def of_request(call: Call, secret: bytes) -> bytes:
    """What the request's own reference comes to; empty where the route remembers none."""
    affinity = _affinity(call)
    remember = affinity.remember
    if remember is None or not remember.reference:
        return b""
    text = name_at(call.request.body, remember.reference)
    name = Name(tenant_of(call.request, affinity), remember.group, Named.REFERENCE, text)
    return link(secret, name) if text else b""


def of_answer(call: Call, answer: Response, secret: bytes) -> bytes:
    """What the partner's name of the payment comes to, in an answer that made one."""
    affinity = _affinity(call)
    remember = affinity.remember
    if remember is None or not remember.payment or answer.status >= _DECLINED:
        return b""
    try:
        text = name_at(plain_body(answer), remember.payment)
    except Unstorable:
        return b""
    name = Name(tenant_of(call.request, affinity), remember.group, Named.PAYMENT, text)
    return link(secret, name) if text else b""


def _affinity(call: Call) -> Affinity:
    assert call.route is not None
    return call.route.affinity

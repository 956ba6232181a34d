"""Rules for the links of a payment: keyed, apart by tenant and kind, none where none is sure."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from proxy.idempotency.links import link, of_answer, of_request
from proxy.model.affinity import Affinity, Name, Named, Remember
from proxy.model.call import Call
from tests.support.values import CARD, call, headers, request, response, route

SECRET = b"s" * 32
NAME = Name("default", "payments", Named.REFERENCE, "order-1")
BOTH = Affinity(remember=Remember("payments", "/reference", "/id"))


def asked(affinity: Affinity = BOTH, body: bytes = b'{"reference": "order-1"}') -> Call:
    """A call of a route that remembers."""
    fields = headers(("X-Tenant", "shop-2"))
    return call(request(body=body, fields=fields), route(affinity=affinity))


def test_each_part_of_a_name_counts() -> None:
    """And the secret; no two names read alike."""
    names = [
        NAME,
        replace(NAME, tenant="other"),
        replace(NAME, group="other"),
        replace(NAME, named=Named.PAYMENT),
        replace(NAME, text="order-2"),
        Name("default", "p", Named.REFERENCE, "aymentsorder-1"),
    ]
    links = {link(SECRET, each) for each in names} | {link(b"t" * 32, NAME)}
    assert len(links) == len(names) + 1
    assert {len(each) for each in links} == {16}


def test_a_reference_of_the_request() -> None:
    """As it is looked up; a route that remembers none has none."""
    assert of_request(asked(), SECRET) == link(SECRET, NAME)
    assert of_request(asked(Affinity()), SECRET) == b""
    assert of_request(asked(body=b'{"reference": {}}'), SECRET) == b""
    only_payment = Affinity(remember=Remember("payments", payment="/id"))
    assert of_request(asked(only_payment), SECRET) == b""


def test_a_tenant_of_a_header() -> None:
    """As for keys."""
    of_header = replace(BOTH, tenant_header=b"x-tenant")
    assert of_request(asked(of_header), SECRET) == link(SECRET, replace(NAME, tenant="shop-2"))


def test_a_name_in_the_answer() -> None:
    """Packed or not; what was declined made no payment."""
    wanted = link(SECRET, replace(NAME, named=Named.PAYMENT, text="ch_1"))
    packed = response(201, headers(("Content-Encoding", "gzip")), gzip.compress(b'{"id":"ch_1"}'))
    for answer in (response(201), response(202), packed):
        assert of_answer(asked(), answer, SECRET) == wanted
    unknown = response(201, headers(("Content-Encoding", "br")))
    for answer in (response(402), response(201, body=b"ok"), unknown):
        assert of_answer(asked(), answer, SECRET) == b""
    assert of_answer(asked(Affinity()), response(201), SECRET) == b""


@pytest.mark.parametrize("text", ["order-1", CARD])
def test_a_link_does_not_hold_the_name(text: str) -> None:
    """Neither in clear nor as a plain digest."""
    made = link(SECRET, replace(NAME, text=text))
    assert text.encode() not in made
    assert made != link(b"", replace(NAME, text=text))

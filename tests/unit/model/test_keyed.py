"""Rules for ways out that share idempotency keys: whatever a partner could tell apart counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from proxy.model.egress import Egress, ForwardProxy
from proxy.model.keyed import same_endpoint
from proxy.model.message import header
from proxy.model.route import HeaderRules, Timeouts, TlsFiles
from tests.support.values import TIMEOUTS, candidate, route, upstream

OTHER_KEY = HeaderRules((header(b"Authorization", b"Bearer other"),))
BY_PROXY = Egress(("192.0.2.7",), ForwardProxy("proxy", 3128))
THIRD = Egress(("192.0.2.8",))
DIFFERENCES: dict[str, Any] = {
    "partner": "other",
    "tls": True,
    "host": "b.example",
    "port": 81,
    "authority": b"a.example:81",
    "base_path": b"/v2",
    "server_name": "b.example",
    "addresses": ("192.0.2.1",),
    "resolve_as": "b.example",
    "headers": OTHER_KEY,
    "tls_files": TlsFiles(client_certificate_file="c.pem", client_key_file="c.key"),
}


def test_another_way_out_is_the_same_endpoint() -> None:
    """So are other timeouts: the partner sees neither."""
    slower: Timeouts = replace(TIMEOUTS, connect_s=9.0)
    one, other = upstream(), replace(upstream(), name="b", egress=BY_PROXY, timeouts=slower)
    assert same_endpoint(one, other)
    assert same_endpoint(other, one)


def test_two_upstreams_with_the_same_way_out_are_two() -> None:
    """Nobody writes one twice without a reason, and a repetition stays where it was sent."""
    assert not same_endpoint(upstream(), replace(upstream(), name="b"))


@pytest.mark.parametrize("name", DIFFERENCES)
def test_every_difference_that_a_partner_can_see_counts(name: str) -> None:
    """It may be another account or another region, and keys of its own with it."""
    other = replace(upstream(), name="b", egress=BY_PROXY, **{name: DIFFERENCES[name]})
    assert not same_endpoint(upstream(), other)


def test_a_route_knows_which_of_its_candidates_are_one_endpoint() -> None:
    """Each with itself; headers that the route sets at one alone tell two of them apart."""
    by_proxy = candidate(upstream=replace(upstream(), name="p", egress=BY_PROXY))
    other_account = replace(by_proxy, upstream=replace(by_proxy.upstream, name="q", egress=THIRD))
    other_account = replace(other_account, headers=OTHER_KEY)
    made = route(candidate("a"), by_proxy, candidate("b"), other_account)
    assert made.keyed.same_endpoint == {
        "a": {"a", "p"}, "p": {"a", "p"}, "b": {"b"}, "q": {"q"},
    }  # fmt: skip

"""Rules for the way out: a source must be this machine's, and a proxy is told a name or an IP."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from proxy.model.egress import Egress, ForwardProxy
from proxy.model.errors import StartError
from proxy.upstream.egress import sources, via
from tests.support.values import upstream

PROXY = Egress((), ForwardProxy("proxy.internal", 3128, authorization=b"Basic eA=="))


def test_sources_by_family() -> None:
    """One of each at most; none where the kernel chooses."""
    assert sources(upstream()) is None
    both = upstream(egress=Egress(("127.0.0.2", "::1")))
    assert sources(both) == {socket.AF_INET: "127.0.0.2", socket.AF_INET6: "::1"}


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7"])
def test_an_address_of_another_machine_ends_the_start(address: str) -> None:
    """With the place, the address and the remedy."""
    with pytest.raises(StartError) as raised:
        sources(upstream("north-a", "north", egress=Egress((address,))))
    said = str(raised.value)
    assert said.startswith("partners.north.upstreams.north-a.egress.source_address: ")
    assert address in said
    assert said.endswith("write an address of one of this machine's interfaces")


def test_without_a_proxy() -> None:
    """There is none."""
    assert via(upstream(), None) is None


@pytest.mark.parametrize(
    ("over", "places"),
    [
        ({}, (b"a.example:443",)),
        ({"resolve_as": "inner.example"}, (b"inner.example:443",)),
        ({"resolve_as": "2001:db8::1"}, (b"[2001:db8::1]:443",)),
        ({"addresses": ("192.0.2.7", "2001:db8::7")}, (b"192.0.2.7:443", b"[2001:db8::7]:443")),
    ],
)
def test_what_a_proxy_is_asked_for(over: dict[str, Any], places: tuple[bytes, ...]) -> None:
    """The name, for the proxy to look up; or what is pinned, in its order."""
    asked = via(upstream(port=443, egress=PROXY, **over), None)
    assert asked is not None
    assert asked.places == places
    assert (asked.host, asked.port, asked.tls) == ("proxy.internal", 3128, None)
    assert asked.authorization == b"Basic eA=="
    assert "eA==" not in repr(asked)

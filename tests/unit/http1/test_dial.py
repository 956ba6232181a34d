"""Rules for the address that connections come from: it is bound first, or nothing is connected."""

from __future__ import annotations

import socket

import pytest

from proxy.http1.connect import Target
from proxy.http1.dial import SourceError, Sources, bind_source, connect_reason, dial
from proxy.model.message import Failure
from proxy.model.phase import Phase
from tests.unit.http1.test_connect import Plain, hang_up
from tests.unit.http1.test_connect import dial as open_to

NOT_OURS = {socket.AF_INET: "192.0.2.7", socket.AF_INET6: "2001:db8::7"}


@pytest.mark.parametrize(
    ("family", "listens", "source"),
    [(socket.AF_INET, "127.0.0.1", "127.0.0.2"), (socket.AF_INET6, "::1", "::1")],
)
def test_the_partner_sees_the_address(
    family: socket.AddressFamily, listens: str, source: str
) -> None:
    """In both families; the port is any."""
    with socket.create_server((listens, 0), family=family) as server:
        connecting, _ = dial(family, listens, server.getsockname()[1], {family: source})
        with connecting, server.accept()[0] as accepted:
            assert accepted.getpeername()[0] == source


async def test_a_connection_comes_from_its_source() -> None:
    """Also through the race, on every loop."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        target = Target("localhost", port, None, "localhost", {socket.AF_INET: "127.0.0.2"})
        opened = await open_to(port, target=target)
        with server.accept()[0] as accepted:
            assert accepted.getpeername()[0] == "127.0.0.2"
        await hang_up(opened)


@pytest.mark.parametrize(
    "sources", [NOT_OURS, {socket.AF_INET6: "::1"}], ids=["of no interface", "of another family"]
)
async def test_an_address_that_cannot_be_used(sources: Sources) -> None:
    """Is our own trouble: nobody hears that the partner's address failed."""
    told: list[tuple[str, bool]] = []
    target = Target("localhost", 1, None, "localhost", sources)
    failure = await open_to(1, target=target, told=told)
    assert failure == Failure(Phase.CONNECT, "no_source_address", sent=False)
    assert told == []


async def test_addresses_of_another_family_are_left_out() -> None:
    """With a source of IPv4 alone, an IPv6 address that is preferred is not even tried."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        told: list[tuple[str, bool]] = []
        target = Target("localhost", port, None, "localhost", {socket.AF_INET: "127.0.0.1"})
        found = [(socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1")]
        opened = await open_to(port, target=target, found=found, told=told)
        assert isinstance(opened, Plain)
        assert told == [("127.0.0.1", True)]
        await hang_up(opened)


def test_many_connections_from_one_address_share_ports() -> None:
    """The port is chosen at connect: bound ports alone would be 28,000 for all partners."""
    with socket.socket() as one:
        bind_source(one, {socket.AF_INET: "127.0.0.2"})
        assert one.getsockname() == ("127.0.0.2", 0)


def test_a_socket_that_is_not_used_is_closed() -> None:
    """Whatever the reason."""
    with pytest.raises(SourceError) as raised:
        dial(socket.AF_INET, "127.0.0.1", 1, NOT_OURS)
    assert connect_reason(raised.value) == "no_source_address"

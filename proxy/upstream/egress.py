"""The way out of an upstream, as the pool connects: source addresses and the forward proxy."""

from __future__ import annotations

import socket
import ssl

from proxy.http1.dial import SourceError, Sources, bind_source
from proxy.http1.tunnel import Via, place
from proxy.model.errors import StartError
from proxy.model.route import Upstream


def sources(upstream: Upstream) -> Sources | None:
    """The addresses that connections come from, by family. Raises StartError.

    They are tried at the start: one that is not this machine's would fail every call.
    """
    found: dict[socket.AddressFamily, str] = {}
    for address in upstream.egress.source_addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        found[family] = address
        try:
            with socket.socket(family, socket.SOCK_STREAM) as trial:
                bind_source(trial, found)
        except SourceError as error:
            raise StartError(
                f"partners.{upstream.partner}.upstreams.{upstream.name}.egress.source_address: "
                f"connections cannot come from {address} ({error.__cause__}); "
                "write an address of one of this machine's interfaces"
            ) from None
    return found or None


def via(upstream: Upstream, context: ssl.SSLContext | None) -> Via | None:
    """The forward proxy, and what it is asked for; `context` is for TLS with the proxy itself.

    Pinned addresses are asked for as they are. A name goes to the proxy as a name: only
    the proxy knows what it reaches, and proxies that let some names through need to see it.
    """
    proxy = upstream.egress.proxy
    if proxy is None:
        return None
    hosts = upstream.addresses or (upstream.resolve_as.strip("[]"),)
    places = tuple(place(host, upstream.port) for host in hosts)
    return Via(proxy.host, proxy.port, context, places, proxy.authorization)

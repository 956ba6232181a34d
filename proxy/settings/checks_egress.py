"""Mistakes in the way out of an upstream: source addresses and forward proxies."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator

from proxy.settings.egress import ForwardProxy
from proxy.settings.finding import Finding
from proxy.settings.network import is_loopback
from proxy.settings.partner import Upstream
from proxy.settings.tree import Loc


def check_egress(loc: Loc, upstream: Upstream) -> Iterator[Finding]:
    """What can be known without this machine's interfaces and without the network."""
    yield from _check_sources((*loc, "egress", "source_address"), upstream)
    if upstream.egress.proxy is None:
        return
    if upstream.allow_private:
        yield Finding(
            (*loc, "allow_private"),
            "has no effect: the forward proxy looks the name up, and connects to what it finds",
            "remove it, and let the proxy say where it may connect",
            ((*loc, "egress", "proxy"),),
        )
    yield from _check_proxy((*loc, "egress", "proxy"), upstream.egress.proxy)


def _check_sources(place: Loc, upstream: Upstream) -> Iterator[Finding]:
    sources = [ipaddress.ip_address(each) for each in upstream.egress.source_address]
    if len({each.version for each in sources}) < len(sources):
        remedy = "keep one IPv4 address, one IPv6 address, or one of each"
        yield Finding(place, "has two addresses of one family", remedy)
    if any(each.is_unspecified or each.is_multicast for each in sources):
        remedy = "write an address of one of this machine's interfaces"
        yield Finding(place, "is no address that a connection can come from", remedy)
    families = {ipaddress.ip_address(each).version for each in upstream.addresses}
    if sources and families and not families & {each.version for each in sources}:
        yield Finding(
            place,
            "has no address of the family of this upstream's addresses",
            "add one of that family, or remove it",
            ((*place[:-2], "addresses"),),
        )


def _check_proxy(place: Loc, proxy: ForwardProxy) -> Iterator[Finding]:
    url, password = (*place, "url"), (*place, "password")
    if proxy.url.path:
        yield Finding(url, "has a path", "end the URL behind the port")
    if proxy.username is not None and ":" in proxy.username.reveal():
        remedy = "ask for a name without one: RFC 7617 ends the name there"
        yield Finding((*place, "username"), "is a name with a colon", remedy)
    for here, there in (("username", "password"), ("password", "username")):
        if getattr(proxy, here) is not None and getattr(proxy, there) is None:
            yield Finding(
                (*place, here), f"stands without {there}", f"add {there}", ((*place, there),)
            )
    if proxy.password is not None and "password" not in proxy.masked:
        remedy = "refer to it: ${NAME} or ${file:/path}"
        yield Finding(password, "stands in the file itself", remedy, is_warning=True)
    if proxy.password is not None and not proxy.url.tls and not is_loopback(proxy.url.host):
        remedy = "write https:// if the proxy can be spoken to over TLS"
        yield Finding(password, "is sent unencrypted", remedy, (url,), is_warning=True)
    yield from _check_ca((*place, "ca_file"), url, proxy)


def _check_ca(place: Loc, url: Loc, proxy: ForwardProxy) -> Iterator[Finding]:
    if proxy.ca_file is None:
        return
    if not proxy.url.tls:
        remedy = "write https:// or remove it"
        yield Finding(place, "has no effect with an http proxy", remedy, (url,))
    elif not os.access(proxy.ca_file, os.R_OK) or not os.path.isfile(proxy.ca_file):
        yield Finding(
            place, "is a file that is not there, or can't be read",
            "create it, correct the path, or let the sidecar's user read it",
        )  # fmt: skip

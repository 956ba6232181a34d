"""Mistakes within and between upstreams: clear text, certificates, limits, names, headers."""

from __future__ import annotations

import os
from collections.abc import Iterator

from proxy.model.outcome import Execution
from proxy.model.route import Money
from proxy.settings.checks_egress import check_egress
from proxy.settings.defaults import MONEY
from proxy.settings.finding import Finding
from proxy.settings.headers import carries_credential
from proxy.settings.network import is_ip, is_loopback
from proxy.settings.partner import Headers, OperationOverrides, Partner, Pool, Upstream
from proxy.settings.schema import Settings
from proxy.settings.tree import Loc


def check_upstreams(settings: Settings) -> Iterator[Finding]:
    """Everything about partners that can be said without their routes."""
    seen: dict[str, Loc] = {}
    for partner_name, partner in settings.partners.items():
        place: Loc = ("partners", partner_name)
        yield from _check_partner(place, partner)
        for name, upstream in partner.upstreams.items():
            loc: Loc = (*place, "upstreams", name)
            yield from _check_name(name, loc, seen)
            yield from _check_transport(loc, upstream)
            yield from _check_resolving(loc, upstream)
            yield from check_egress(loc, upstream)
            yield from _check_tls(loc, upstream)
            yield from _check_pool((*loc, "pool"), upstream.pool)
            yield from check_headers((*loc, "headers"), upstream.headers)


def _check_partner(place: Loc, partner: Partner) -> Iterator[Finding]:
    if not partner.upstreams:
        yield Finding((*place, "upstreams"), "has no upstream", "add one with its url")
    for operation, overrides in partner.operations.items():
        yield from _check_operation((*place, "operations", operation), operation, overrides)


def _check_operation(place: Loc, operation: str, over: OperationOverrides) -> Iterator[Finding]:
    if (over.money or MONEY[operation]) is Money.NO:
        return
    for status, execution in over.execution.items():
        if execution is Execution.NONE and status[0] in "25":
            yield Finding(
                (*place, "execution", status),
                "takes this answer as proof that nothing was executed: the call may be repeated",
                "keep it only if the partner guarantees it; otherwise write done or unknown",
                ((*place, "money"),),
                is_warning=True,
            )


def _check_name(name: str, loc: Loc, seen: dict[str, Loc]) -> Iterator[Finding]:
    first = seen.setdefault(name, loc)
    if first is not loc:
        remedy = "give each upstream a name of its own; routes know them by name alone"
        yield Finding(loc, "has the name of another partner's upstream", remedy, see=(first,))


def _check_resolving(loc: Loc, upstream: Upstream) -> Iterator[Finding]:
    place: Loc = (*loc, "resolve_as")
    if upstream.resolve_as is None:
        return
    if is_ip(upstream.resolve_as):
        remedy = "write it under addresses, which pins it"
        yield Finding(place, "is an IP address, and no name to ask name servers for", remedy)
    elif upstream.addresses:
        remedy = "remove it, or addresses"
        yield Finding(
            place, "is not used: addresses say where to connect", remedy, ((*loc, "addresses"),)
        )


def _check_transport(loc: Loc, upstream: Upstream) -> Iterator[Finding]:
    if upstream.url.tls:
        return
    if upstream.tls is not None:
        remedy = "write https:// or remove the tls block"
        yield Finding((*loc, "tls"), "has no effect with an http url", remedy, ((*loc, "url"),))
    hosts = upstream.addresses or (upstream.url.host,)
    if all(is_loopback(host) for host in hosts):
        return
    rests_on: tuple[Loc, ...] = ((*loc, "addresses"), (*loc, "allow_cleartext"))
    if upstream.allow_cleartext:
        message, remedy = "sends card data unencrypted", "use https as soon as the partner does"
    else:
        message = "would send card data unencrypted to another machine"
        remedy = "write https://, or set allow_cleartext: true if the line is protected otherwise"
    yield Finding((*loc, "url"), message, remedy, rests_on, upstream.allow_cleartext)


def _check_tls(loc: Loc, upstream: Upstream) -> Iterator[Finding]:
    tls = upstream.tls
    if tls is None:
        return
    certificate, key = (*loc, "tls", "client_certificate_file"), (*loc, "tls", "client_key_file")
    if tls.client_certificate_file and not tls.client_key_file:
        remedy = "add client_key_file"
        yield Finding(certificate, "is a client certificate without its key", remedy, (key,))
    if tls.client_key_file and not tls.client_certificate_file:
        remedy = "add client_certificate_file"
        yield Finding(key, "is a key without its client certificate", remedy, (certificate,))
    for name in ("ca_file", "client_certificate_file", "client_key_file"):
        yield from _check_file((*loc, "tls", name), getattr(tls, name))


def _check_file(place: Loc, path: str | None) -> Iterator[Finding]:
    if path is None:
        return
    if not os.path.isfile(path):
        yield Finding(place, "is a file that is not there", "create it or correct the path")
    elif not os.access(path, os.R_OK):
        yield Finding(place, "is a file that can't be read", "let the sidecar's user read it")


def _check_pool(place: Loc, pool: Pool) -> Iterator[Finding]:
    connections = ((*place, "connections_max"),)
    if "idle_max" in pool.model_fields_set and pool.idle_max > pool.connections_max:
        yield Finding(
            (*place, "idle_max"),
            "is more than connections_max",
            "choose at most as many, or raise connections_max",
            connections,
        )
    idle_max = min(pool.idle_max, pool.connections_max)
    if pool.prewarm > idle_max:
        yield Finding(
            (*place, "prewarm"),
            "is more than idle_max",
            "choose at most as many, or raise idle_max",
            (*connections, (*place, "idle_max")),
        )


def check_headers(place: Loc, headers: Headers) -> Iterator[Finding]:
    """Contradictions in one block of header rules."""
    seen: set[str] = set()
    for name in headers.put:
        loc = (*place, "set", name)
        if name.lower() in seen:
            yield Finding(loc, "sets the same header again", "keep one of the two spellings")
        seen.add(name.lower())
        if carries_credential(name) and "put" not in headers.masked:
            remedy = "refer to it: ${NAME} or ${file:/path}"
            yield Finding(loc, "has a credential in the file itself", remedy, is_warning=True)
    for index, name in enumerate(headers.remove):
        if name.lower() in seen:
            remedy = "remove it here: a header that is set replaces the application's anyway"
            yield Finding((*place, "remove", index), "is both set and removed", remedy)

"""One transport for each upstream, with its pool and its TLS context."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable

from proxy.http1.connect import Resolve, Target, Tell
from proxy.http1.pool import Pool
from proxy.model.route import TlsFiles, Upstream
from proxy.upstream.egress import sources, via
from proxy.upstream.tls import client_context
from proxy.upstream.transport import Transport


def transports(
    upstreams: Iterable[Upstream],
    resolver: Callable[[Upstream], Resolve],
    now: Callable[[], float],
    loop: asyncio.AbstractEventLoop,
    teller: Callable[[Upstream], Tell] | None = None,
) -> dict[str, Transport]:
    """By upstream name. Raises TlsSetupError for a certificate that cannot be used, StartError
    for a source address that is not this machine's.

    What `teller` gives for an upstream hears which of its addresses accept connections.
    """
    contexts: dict[TlsFiles, ssl.SSLContext] = {}
    made = {}
    for upstream in upstreams:
        context = _context(contexts, upstream.tls_files) if upstream.tls else None
        proxy = upstream.egress.proxy
        to_proxy = _context(contexts, TlsFiles(proxy.ca_file)) if proxy and proxy.tls else None
        target = Target(
            upstream.resolve_as, upstream.port, context, upstream.server_name,
            sources(upstream), via(upstream, to_proxy),
        )  # fmt: skip
        resolve, tell = resolver(upstream), teller(upstream) if teller else None
        pool = Pool(target, upstream.pool, upstream.timeouts, resolve, now, loop, tell)
        made[upstream.name] = Transport(pool)
    return made


def _context(contexts: dict[TlsFiles, ssl.SSLContext], files: TlsFiles) -> ssl.SSLContext:
    """One for all upstreams with the same files: the system's CA bundle takes 15 ms."""
    context = contexts.get(files)
    if context is None:
        context = contexts[files] = client_context(files)
    return context

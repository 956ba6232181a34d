"""Makers of what the composition root is put together from: setup in, a part of the house out.

Each says what its part is told by the others; nothing here decides about a call.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.dns.cache import Bounds
from proxy.dns.service import Dns, Servers
from proxy.http1.limits import EdgeLimits
from proxy.http1.serving import Edge
from proxy.model.clock import Clock
from proxy.model.events import BadRequest, Emit, NameAsked
from proxy.model.message import Request, Response
from proxy.model.route import Upstream
from proxy.model.setup import Setup
from proxy.pipeline.unread import refusal

if TYPE_CHECKING:
    from proxy.idempotency.opened import Opened


@dataclass(frozen=True, slots=True)
class Around:
    """What every part gets: the configuration, where it runs, and whom it tells."""

    setup: Setup
    loop: asyncio.AbstractEventLoop
    clock: Clock
    emit: Emit
    bug: Callable[[BaseException], None]


def make_journal(around: Around, failed: Callable[[], None]) -> Opened | None:
    """The journal, if there is to be one; `failed` is called when it can be trusted no more.

    Databases and cryptography take time and memory to import, so only who uses them pays.
    """
    chosen = around.setup.journal
    if chosen is None:
        return None
    keys = dict(chosen.sealing_keys)
    opened: Opened
    if chosen.shared is None:
        embedded = importlib.import_module("proxy.idempotency.embedded")
        opened = embedded.open_embedded(
            chosen.path or Path(), keys, chosen.timeout_commit_s, loop=around.loop,
            clock=around.clock, never_store=chosen.never_store,
            failed=lambda _: failed(), bug=around.bug,
            say=lambda line: say(f"tidegate: {line}"),
        )  # fmt: skip
        return opened
    shared = importlib.import_module("proxy.idempotency.shared")
    said = chosen.shared
    opened = shared.join_shared(
        shared.Place(said.url, said.lease_s, said.connections_max),
        said.secret, keys, chosen.timeout_commit_s,
        loop=around.loop, clock=around.clock, never_store=chosen.never_store, bug=around.bug,
    )  # fmt: skip
    return opened


def say(line: str) -> None:
    """For whoever runs the sidecar: a line on standard error."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def make_dns(around: Around, upstreams: dict[str, Upstream]) -> Dns:
    """Names of the upstreams, kept fresh."""
    said = around.setup.dns
    return Dns(
        upstreams.values(),
        Servers(said.nameservers, said.timeout_query_s, said.snapshot),
        Bounds(said.ttl_min_s, said.ttl_max_s, said.stale_max_s, said.negative_max_s),
        around.clock,
        lambda kind, result, seconds: around.emit(NameAsked(kind, result, seconds)),
        around.bug,
    )


def make_edge(
    around: Around,
    handler: Callable[[Request], Awaitable[Response]],
    failed: Callable[[Exception], Response],
) -> Edge:
    """The inbound edge; `handler` takes a request, `failed` answers for a bug in it."""
    listen, keyed = around.setup.listen, around.setup.journal is not None
    limits = EdgeLimits(
        methods=frozenset(method.encode() for method in listen.methods),
        connections_max=listen.connections_max,
        request_line_bytes_max=listen.request_line_bytes_max,
        header_bytes_max=listen.header_bytes_max,
        header_count_max=listen.header_count_max,
        body_bytes_max=listen.body_bytes_max,
        timeout_header_s=listen.timeout_header_s,
        timeout_body_s=listen.timeout_body_s,
        timeout_idle_s=listen.timeout_idle_s,
        timeout_write_s=listen.timeout_write_s,
    )
    return Edge(
        loop=around.loop,
        clock=around.clock,
        limits=limits,
        handler=handler,
        failed=failed,
        refusal=lambda reject: refusal(reject.reason, reject.status, keyed=keyed),
        rejected=lambda reject: around.emit(BadRequest(reject.reason, reject.status)),
    )

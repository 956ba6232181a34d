"""Opening a connection, phase by phase: resolve, connect, tls.

Each phase has its own timeout and its own failure, and none of them can have
sent a byte of the request: whatever happens here is unsent.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from proxy.http1 import race
from proxy.http1.dial import Sources
from proxy.http1.securing import Securable, over_socket, over_tunnel
from proxy.http1.through import Ways, through
from proxy.http1.tunnel import Tunnel, Via
from proxy.model.call import Progress
from proxy.model.egress import FORWARD_PROXY
from proxy.model.message import Failure
from proxy.model.phase import Phase
from proxy.model.route import Timeouts

P = TypeVar("P", bound="Securable")
Address = race.Address
Tell = race.Tell
Resolve = Callable[[str, float], Awaitable[list[Address] | str] | list[Address] | str]
"""(name, timeout in seconds) -> addresses in order of preference, or the reason of failure.

What is given directly is used at once; what has to be awaited has so much time.
"""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect. `tls` None is cleartext; a certificate must carry `server_name`.

    With `via`, connections are tunnels through that proxy, and its name is the one resolved.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None
    server_name: str
    sources: Sources | None = None
    via: Via | None = None


async def open_connection(
    target: Target,
    resolve: Resolve,
    timeouts: Timeouts,
    deadline_at: float,
    now: Callable[[], float],
    progress: Progress,
    factory: Callable[[], P],
    tell: Tell | None = None,
) -> P | Failure:
    """A connection of `factory`'s kind, or the phase and reason of the failure, never sent.

    `tell` hears of each address whether it accepted, unless it was closed before it had time to.
    """
    resolved = await _resolve(target, resolve, min(timeouts.resolve_s, deadline_at - now()))
    if isinstance(resolved, Failure):
        return resolved
    progress.resolved_at = now()
    connect_ends_at = min(progress.resolved_at + timeouts.connect_s, deadline_at)
    reached = await _reach(target, resolved, connect_ends_at, timeouts.connect_s, now, tell)
    if isinstance(reached, Failure):
        return reached
    progress.connected_at = now()
    tls_s = min(timeouts.tls_s, deadline_at - progress.connected_at)
    tls, name = target.tls, target.server_name
    if isinstance(reached, Tunnel):
        secured = await over_tunnel(reached, tls, name, factory, tls_s)
    else:
        secured = await over_socket(reached, tls, name, factory, tls_s)
    if not isinstance(secured, Failure):
        progress.secured_at = now()
    return secured


async def _resolve(
    target: Target, resolve: Resolve, within_s: float
) -> Sequence[Address] | Failure:
    if within_s <= 0:
        return Failure(Phase.RESOLVE, "deadline", sent=False)
    found = resolve(target.host if target.via is None else target.via.host, within_s)
    if not isinstance(found, list | str):
        try:
            async with asyncio.timeout(within_s):
                found = await found
        except TimeoutError:
            found = "timeout"
    if not found:
        found = "no_addresses"
    if isinstance(found, str):
        own = "" if target.via is None else FORWARD_PROXY
        return Failure(Phase.RESOLVE, own + found, sent=False)
    return found


async def _reach(
    target: Target,
    resolved: Sequence[Address],
    ends_at: float,
    patience_s: float,
    now: Callable[[], float],
    tell: Tell | None,
) -> socket.socket | Tunnel | Failure:
    """The way to the partner: a TCP connection, or a tunnel on one."""
    reached: socket.socket | Tunnel | str
    if target.via is not None:
        ways = Ways(resolved, target.sources, tell, patience_s)
        reached = await through(target.via, ways, lambda: ends_at - now())
    else:
        racing = race.Race(resolved, target.port, tell, target.sources)
        within_s = ends_at - now()
        reached = await racing.run(within_s, patience_s) if within_s > 0 else "timeout"
    if isinstance(reached, str):
        return Failure(Phase.CONNECT, reached, sent=False)
    return reached

"""The way to a partner through a forward proxy: a connection to the proxy, and a tunnel on it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from proxy.http1 import race
from proxy.http1.dial import OURS, Sources
from proxy.http1.securing import tls_reason
from proxy.http1.tunnel import Tunnel, Via, dig
from proxy.model.egress import FORWARD_PROXY


@dataclass(frozen=True, slots=True)
class Ways:
    """How the proxy is reached: its addresses, ours, whom to tell, and the usual patience."""

    addresses: Sequence[race.Address]
    sources: Sources | None
    tell: race.Tell | None
    patience_s: float


async def through(via: Via, ways: Ways, left_s: Callable[[], float]) -> Tunnel | str:
    """A tunnel to the first of `via.places` that the proxy has a way to, or the reason of failure.

    The next place is asked for on a connection of its own, and only if the proxy said that
    it found no way to the one before: a refusal would be the same again.
    """
    reason = f"{FORWARD_PROXY}unreachable"
    for to in via.places:
        if left_s() <= 0:
            break
        racing = race.Race(ways.addresses, via.port, ways.tell, ways.sources)
        connected = await racing.run(left_s(), ways.patience_s)
        if isinstance(connected, str):
            return connected if connected in OURS else f"{FORWARD_PROXY}unreachable"
        dug = await _dig(connected, via, to, left_s())
        if isinstance(dug, Tunnel):
            return dug
        reason = dug
        if reason != f"{FORWARD_PROXY}no_route":
            break
    return reason


async def _dig(connected: socket.socket, via: Via, to: bytes, within_s: float) -> Tunnel | str:
    try:
        async with asyncio.timeout(within_s):
            return await dig(connected, via, to)
    except TimeoutError:
        connected.close()
        return f"{FORWARD_PROXY}timeout"
    except (OSError, asyncio.IncompleteReadError) as error:
        connected.close()
        return FORWARD_PROXY + tls_reason(error)
    except BaseException:
        connected.close()
        raise

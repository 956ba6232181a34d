"""What a connection to an upstream is asked to do, and whom it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from proxy.model.call import Progress
from proxy.model.message import Failure, Response
from proxy.model.route import PoolLimits, Timeouts

if TYPE_CHECKING:
    from proxy.http1.client import ClientConnection

Result = Response | Failure


class Owner(Protocol):
    """The pool that a connection belongs to."""

    limits: PoolLimits

    def freed(self, connection: ClientConnection) -> None:
        """The connection is idle and clean."""

    def lost(self, connection: ClientConnection) -> None:
        """The connection is gone, or as good as gone."""

    def failed(self, unproven_since: float) -> None:
        """An exchange on a reused connection failed.

        Idle connections that have not completed an answer since that instant
        are not to be trusted either.
        """

    def may_linger(self, connection: ClientConnection) -> bool:
        """Whether the connection may wait on for an answer nobody is waiting for."""


@dataclass(slots=True)
class Exchange:
    """One request on its way, as the connection needs to know it."""

    progress: Progress
    timeouts: Timeouts
    deadline_at: float
    head_request: bool
    allow_eof_body: bool
    late: Callable[[Result], None]
    """Told when the exchange ends after its caller was answered."""
    send_by: float = float("inf")
    """Monotonic; from here on nothing is sent any more, though an answer may be waited for."""

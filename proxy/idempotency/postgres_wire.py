"""Statements to PostgreSQL, each with an end: connections that hang are cut, not waited for.

Every statement stands alone (autocommit) and comes to one of three things: it
was executed, it was refused and changed nothing, or its answer was lost and
nobody knows. asyncpg itself would wait for ever on a server that is frozen, and
would go on using the connection after that, so the clock is ours and whatever
did not end cleanly is terminated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg

_CONFLICT = ("40001", "40P01")
"""Serialization failure, deadlock: nothing was changed, and again may go well."""
_GONE = ("08", "57P")
"""Connection exceptions; the server is shutting down, starting or was killed."""
_CLOSE_S = 2.0


class Lost(Exception):
    """The statement may or may not have been executed."""


class Unexecuted(Exception):
    """The server refused the statement; nothing was changed. `state` is the SQLSTATE."""

    def __init__(self, state: str, conflict: bool) -> None:
        super().__init__(state)
        self.state = state
        self.conflict = conflict


class Wire:
    """At most `connections_max` connections to one database, opened as they are needed.

    `url` is a libpq URL. Each statement, and each connecting, ends within `timeout_s`.
    """

    def __init__(self, url: str, connections_max: int, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._idle: list[Any] = []
        """Connections of asyncpg, which has no types."""
        self._busy: set[Any] = set()
        self._places = asyncio.Semaphore(connections_max)
        self._era = 0
        self._closed = False

    async def fetch(self, statement: str, *arguments: object) -> Sequence[tuple[Any, ...]]:
        """Rows of one statement. Raises Lost, Unexecuted."""
        async with self._places:
            era = self._era
            connection = await self._take()
            self._busy.add(connection)
            clean = False
            try:
                rows = await asyncio.wait_for(
                    connection.fetch(statement, *arguments), self._timeout_s
                )
                clean = True
                return [tuple(row) for row in rows]
            except asyncpg.PostgresError as error:
                state = error.sqlstate or ""
                if state.startswith(_GONE):
                    raise Lost from None
                clean = True
                raise Unexecuted(state, state in _CONFLICT) from None
            except (TimeoutError, OSError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                raise Lost from None
            finally:
                self._busy.discard(connection)
                self._give_back(connection, clean and era == self._era)

    async def _take(self) -> Any:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return await connect(self._url, self._timeout_s)

    def _give_back(self, connection: Any, clean: bool) -> None:
        """Keep it, or cut it and with it all that idle: they lead to the same server."""
        if clean and not self._closed:
            self._idle.append(connection)
            return
        connection.terminate()
        if not clean:
            self._era += 1
            idle, self._idle = self._idle, []
            for each in idle:
                each.terminate()

    async def close(self) -> None:
        """End every connection; those at work are cut."""
        self._closed = True
        for connection in list(self._busy):
            connection.terminate()
        idle, self._idle = self._idle, []
        for connection in idle:
            try:
                await asyncio.wait_for(connection.close(), _CLOSE_S)
            except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()


async def connect(url: str, timeout_s: float) -> Any:
    """A connection. Raises Lost, and Unexecuted for what the server says no to."""
    try:
        return await asyncio.wait_for(asyncpg.connect(url, timeout=timeout_s), timeout_s)
    except asyncpg.PostgresError as error:
        state = error.sqlstate or ""
        if state.startswith(_GONE):
            raise Lost from None
        raise Unexecuted(state, conflict=False) from None
    except (TimeoutError, OSError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        raise Lost from None


def readable(url: str) -> str:
    """Which database a URL means, for people: host, port and name, and never a password.

    Raises ValueError for a URL that means none.
    """
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ValueError
    return f"{parts.hostname or 'localhost'}:{parts.port or 5432}{parts.path or ''}"

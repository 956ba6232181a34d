"""Keeps one bearer token: fetched when it is needed, by one request however many wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from proxy.model.clock import Clock
from proxy.model.outcome import Answered, Outcome
from proxy.upstream.token import Token, token_of

_AGAIN_AFTER_S = 1.0
"""After a failure: those who wait for a token must not besiege who gives them."""


class Tokens:
    """The token of one partner; `fetch` sends the request for it."""

    def __init__(self, fetch: Callable[[], Awaitable[Outcome]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._token: Token | None = None
        self._fetching: asyncio.Future[None] | None = None
        self._not_before = 0.0

    async def get(self) -> bytes | None:
        """A fresh token, or None where none is to be had now."""
        if self._fresh() is None and self._clock.now() >= self._not_before:
            if self._fetching is None or self._fetching.done():
                self._fetching = asyncio.ensure_future(self._renew())
            await asyncio.shield(self._fetching)
        return self._fresh()

    def drop(self, value: bytes) -> None:
        """The partner does not take this one any more."""
        if self._token is not None and self._token.value == value:
            self._token = None

    def _fresh(self) -> bytes | None:
        token = self._token
        return None if token is None or self._clock.now() >= token.fresh_until else token.value

    async def _renew(self) -> None:
        outcome = await self._fetch()
        now = self._clock.now()
        if isinstance(outcome, Answered):
            self._token = token_of(outcome.response.status, outcome.response.body, now)
        if self._fresh() is None:
            self._not_before = now + _AGAIN_AFTER_S

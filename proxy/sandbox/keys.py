"""Idempotency keys of the processor: the first result under a key is the result.

    nothing known      run; keep the answer if it executed (or declined) something
    first in flight    409, whatever became of the first
    same parameters    the stored answer again, marked `Idempotent-Replayed: true`
    other parameters   400 idempotency_error

A request that was refused by validation keeps no key, as with the real ones.
Keys live as long as the ledger: they are rebuilt from it at the start.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from proxy.sandbox.endpoints import Work
from proxy.sandbox.message import Answer, PartnerRequest, error

KEY_CHARACTERS_MAX = 255
REPLAYED = ("Idempotent-Replayed", "true")

_IN_FLIGHT = error(409, "idempotency_key_in_use", "a request with this key is still in progress")
_MISMATCH = error(
    400, "idempotency_error", "this key was first used with other parameters", "Idempotency-Key"
)
_TOO_LONG = error(
    400,
    "invalid_idempotency_key",
    f"a key has at most {KEY_CHARACTERS_MAX} characters",
    "Idempotency-Key",
)

Run = Callable[[], Awaitable[tuple[Answer, bool]]]
"""Executes the request; the flag says whether the result is to be kept."""


@dataclass(slots=True)
class _Known:
    fingerprint: str | None
    answer: Answer | None = None


class Keys:
    """All keys this partner has seen."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self.replayed = 0

    def restore(self, key: str, fingerprint: str | None, answer: Answer) -> None:
        """A key from an earlier life of the ledger."""
        self._known[key] = _Known(fingerprint, answer)

    async def once(self, request: PartnerRequest, key: str, work: Work, run: Run) -> Answer:
        """Run the request unless its key has been run before."""
        if len(key) > KEY_CHARACTERS_MAX:
            return _TOO_LONG
        known = self._known.get(key)
        if known is None:
            return await self._first(request, key, run)
        if known.fingerprint != request.fingerprint:
            return _MISMATCH
        if known.answer is None:
            return _IN_FLIGHT
        await work()
        self.replayed += 1
        return replace(known.answer, headers=(*known.answer.headers, REPLAYED))

    async def _first(self, request: PartnerRequest, key: str, run: Run) -> Answer:
        entry = self._known[key] = _Known(request.fingerprint)
        try:
            answer, keep = await run()
            if keep:
                entry.answer = answer
            return answer
        finally:
            if entry.answer is None:
                del self._known[key]

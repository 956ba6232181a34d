"""From a request to a call: its identity, its trace, and what the application told us."""

from __future__ import annotations

import os
import random
import re

from proxy.model.call import Call
from proxy.model.message import Request

_TRACEPARENT = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_TOLD = frozenset(
    (b"tidegate-token", b"tidegate-deadline-ms", b"origin", b"sec-fetch-site", b"sec-fetch-mode",
     b"sec-fetch-dest", b"traceparent")
)  # fmt: skip
_RANDOM_BITS = (1 << 56) - 1
"""The last seven bytes of a trace's id are random (W3C trace context, level 2)."""
_NO_TRACE = b"0" * 32
_NO_SPAN = b"0" * 16


class Identities:
    """Identifiers of calls, traces and spans: unique, not secret, so one generator serves."""

    def __init__(self, seed: bytes | None = None, sample_ratio: float = 0.0) -> None:
        seeded = os.urandom(32) if seed is None else seed
        self._sampled_below = int(sample_ratio * (_RANDOM_BITS + 1))
        self._bits = random.Random(seeded).getrandbits  # noqa: S311 - unique, not secret

    def call_id(self) -> str:
        """24 hexadecimal digits."""
        return self._bits(96).to_bytes(12).hex()

    def trace_id(self) -> bytes:
        """32 hexadecimal digits, not all zero (W3C trace context)."""
        return (self._bits(128) or 1).to_bytes(16).hex().encode()

    def flags(self, trace_id: bytes) -> bytes:
        """Of a trace that begins here: random, and sampled if its id says so, as it would say to
        every other process with the same ratio.
        """
        sampled = int(trace_id[18:], 16) < self._sampled_below
        return b"03" if sampled else b"02"

    def span_id(self) -> bytes:
        """16 hexadecimal digits, not all zero."""
        return (self._bits(64) or 1).to_bytes(8).hex().encode()


def translate(request: Request, identities: Identities) -> Call:
    """The call that a request starts. A valid `traceparent` is continued, any other replaced."""
    said = {key: value.rstrip(b" \t") for key, _, value in request.headers if key in _TOLD}
    call = Call(request, identities.call_id(), request.arrived_at, said)
    given = said.get(b"traceparent")
    traced = None if given is None else _TRACEPARENT.fullmatch(given)
    if traced is not None and traced[1] != _NO_TRACE and traced[2] != _NO_SPAN:
        call.trace_id, call.span_id, call.trace_flags = traced.groups()
    else:
        call.trace_id = identities.trace_id()
        call.trace_flags = identities.flags(call.trace_id)
    return call

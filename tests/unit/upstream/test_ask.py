"""Rules for asking an upstream something of our own."""

from __future__ import annotations

from dataclasses import replace

from proxy.model.call import Call
from proxy.model.message import header
from proxy.model.outcome import InDoubt, Origin, Outcome
from proxy.model.phase import Phase
from proxy.model.route import Candidate, HeaderRules
from proxy.upstream.ask import asking
from proxy.upstream.rewrite import Rewriter
from tests.support.manual_clock import ManualClock
from tests.support.values import rule, upstream

LOST = InDoubt("acme", "a", Phase.FIRST_BYTE, "timeout", Origin.PARTNER)


async def test_an_inquiry_is_a_get_with_the_upstreams_own_headers() -> None:
    """One attempt, within its own deadline, under its own trace, and without a key."""
    clock = ManualClock()
    made: list[tuple[Call, Candidate]] = []

    async def attempt(call: Call, candidate: Candidate) -> Outcome:
        made.append((call, candidate))
        return LOST

    credentials = HeaderRules((header(b"Authorization", b"Bearer x"),))
    there = replace(
        upstream("a", base_path=b"/api"), operations={"inquire": rule()}, headers=credentials
    )
    ask = asking(attempt, clock, lambda: "0" * 24, lambda: b"t" * 32)
    assert await ask(there, b"/p?ref=r1") is LOST
    ((call, candidate),) = made
    assert call.ticket is None
    assert call.deadline_at == clock.now() + 15.0
    assert call.route is not None
    payload = Rewriter(call.route, candidate).payload(call, b"s" * 16)
    assert payload.startswith(b"GET /api/p?ref=r1 HTTP/1.1\r\nHost: a.example\r\n")
    assert b"Authorization: Bearer x\r\n" in payload
    assert payload.endswith(b"\r\n\r\n")

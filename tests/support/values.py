"""Routes, candidates, calls and outcomes for tests: valid ones, of which a test changes a part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from proxy.model.call import Attempt, Call
from proxy.model.message import Header, Request, Response, header
from proxy.model.outcome import Execution
from proxy.model.route import (
    Candidate,
    HeaderRules,
    Money,
    OperationRule,
    PoolLimits,
    Retry,
    Route,
    Timeouts,
    TlsFiles,
    Upstream,
)
from tests.support.manual_clock import START_S

STATUSES: Mapping[int, Execution] = MappingProxyType(
    {
        2: Execution.DONE,
        3: Execution.DONE,
        4: Execution.DONE,
        5: Execution.UNKNOWN,
        408: Execution.UNKNOWN,
        409: Execution.UNKNOWN,
        425: Execution.UNKNOWN,
        429: Execution.NONE,
    }
)
"""The documented default, written down once more so that a change of it is noticed."""

TIMEOUTS = Timeouts(
    queue_s=1.0,
    resolve_s=5.0,
    connect_s=4.0,
    tls_s=4.0,
    send_s=10.0,
    first_byte_s=30.0,
    body_s=10.0,
)
POOL = PoolLimits(
    connections_max=8,
    idle_max=4,
    idle_age_max_s=15.0,
    age_max_s=600.0,
    waiters_max=8,
    reuse=True,
    prewarm=0,
    lingering_max=4,
    linger_s=10.0,
    header_bytes_max=32 * 1024,
    body_bytes_max=1024 * 1024,
)
ONCE = Retry(attempts_max=1, backoff_base_s=0.05, backoff_max_s=0.5)

CARD = "4111111111111111"
"""The canary: a card number that must never be seen where it was not sent."""


def headers(*pairs: tuple[str, str]) -> list[Header]:
    """Header triples from text."""
    return [header(name.encode(), value.encode()) for name, value in pairs]


def rule(
    money: Money = Money.YES, statuses: Mapping[int, Execution] | None = None
) -> OperationRule:
    """An operation that moves money, with the default table, unless told otherwise."""
    return OperationRule(money, {**STATUSES, **(statuses or {})})


def upstream(name: str = "a", partner: str = "acme", **over: Any) -> Upstream:
    """An upstream of `acme` in clear text."""
    made = Upstream(
        name=name,
        partner=partner,
        tls=False,
        host=f"{name}.example",
        port=80,
        authority=f"{name}.example".encode(),
        server_name=f"{name}.example",
        base_path=b"",
        addresses=(),
        resolve_as=f"{name}.example",
        allow_private=False,
        headers=HeaderRules(),
        tls_files=TlsFiles(),
        timeouts=TIMEOUTS,
        pool=POOL,
        operations={},
    )
    return replace(made, **over)


def candidate(name: str = "a", partner: str = "acme", **over: Any) -> Candidate:
    """A candidate at the upstream of this name; `upstream`, `rule`, `headers` may be given."""
    made = Candidate(upstream(name, partner), TIMEOUTS, HeaderRules(), rule())
    return replace(made, **over)


def route(*candidates: Candidate, **over: Any) -> Route:
    """A route for `/psp`, operation authorize, 30 s, one attempt at each candidate."""
    made = Route(
        name="charges",
        hosts=frozenset(),
        path_prefix=b"/psp",
        methods=frozenset(),
        replace_prefix=None,
        operation="authorize",
        candidates=candidates or (candidate(),),
        deadline_s=30.0,
        retry=ONCE,
    )
    return replace(made, **over)


def request(
    method: bytes = b"POST",
    target: bytes = b"/psp/charges",
    fields: Iterable[Header] = (),
    body: bytes = b'{"amount":1}',
    *,
    host: bytes = b"localhost",
    arrived_at: float = START_S,
) -> Request:
    """A request as the inbound edge hands it in."""
    return Request(method, target, host, list(fields), body, arrived_at)


def call(
    asked: Request | None = None,
    taken: Route | None = None,
    *,
    said: Mapping[bytes, bytes] | None = None,
) -> Call:
    """A call that has its route and its deadline already."""
    asked, taken = asked or request(), taken or route()
    made = Call(asked, "0123456789abcdef01234567", asked.arrived_at, dict(said or {}))
    made.route, made.candidates = taken, taken.candidates
    made.deadline_at = asked.arrived_at + taken.deadline_s
    made.trace_id, made.span_id = b"a" * 32, b"b" * 16
    return made


def attempt(number: int = 1, at: Candidate | None = None, **over: Any) -> Attempt:
    """The record of an attempt that has begun; `over` sets fields of it."""
    over.setdefault("begun_at", START_S)
    return Attempt(number=number, candidate=at or candidate(), **over)


def response(
    status: int = 200, fields: Iterable[Header] = (), body: bytes = b'{"id":"ch_1"}'
) -> Response:
    """A partner's complete answer."""
    return Response(status, list(fields), body)

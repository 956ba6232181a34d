"""`proxy.upstream.rewrite`: the one canonical request, read by h11 and held against a reference."""

from __future__ import annotations

from dataclasses import replace as replaced

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.model.call import Ticket
from proxy.model.message import Header, header
from proxy.model.route import HeaderRules, OwnKeys
from proxy.upstream.rewrite import Rewriter
from tests.support.values import call, candidate, headers, request, route, upstream

SPAN = b"0123456789abcdef"


def _rewriter(
    *,
    prefix: bytes = b"/psp",
    replace: bytes | None = None,
    base: bytes = b"",
    rules: HeaderRules | None = None,
) -> Rewriter:
    at = candidate(upstream=upstream(base_path=base), headers=rules or HeaderRules())
    return Rewriter(route(at, path_prefix=prefix, replace_prefix=replace), at)


def _read(payload: bytes) -> tuple[bytes, bytes, list[tuple[bytes, bytes]], bytes]:
    """Method, target, headers and body of exactly one request, as h11 understands it."""
    reader = h11.Connection(h11.SERVER)
    reader.receive_data(payload)
    head = reader.next_event()
    assert isinstance(head, h11.Request)
    body = b""
    while not isinstance(event := reader.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data)
        body += bytes(event.data)
    assert reader.trailing_data[0] == b"", "not a byte behind it"
    fields = [(bytes(name), bytes(value)) for name, value in head.headers]
    return bytes(head.method), bytes(head.target), fields, body


@pytest.mark.parametrize(
    ("prefix", "replace", "base", "target", "expected"),
    [
        (b"/psp", None, b"", b"/psp/charges?x=1", b"/psp/charges?x=1"),
        (b"/psp", None, b"/v1", b"/psp", b"/v1/psp"),
        (b"/psp", b"", b"", b"/psp/charges", b"/charges"),
        (b"/psp/", b"", b"", b"/psp/charges", b"/charges"),
        (b"/psp", b"", b"", b"/psp", b"/"),
        (b"/psp", b"", b"", b"/psp/", b"/"),
        (b"/psp", b"", b"", b"/psp?x=/y", b"/?x=/y"),
        (b"/psp", b"", b"/base", b"/psp", b"/base"),
        (b"/psp", b"", b"/base", b"/psp?x", b"/base?x"),
        (b"/psp", b"", b"/base", b"/psp/", b"/base/"),
        (b"/psp", b"/v2", b"", b"/psp/charges", b"/v2/charges"),
        (b"/psp", b"/v2/", b"", b"/psp/charges", b"/v2/charges"),
        (b"/charge", b"/v1/charges", b"", b"/charge", b"/v1/charges"),
        (b"/charge", b"/v1/charges", b"", b"/charge?expand=1", b"/v1/charges?expand=1"),
        (b"/psp", b"/v2", b"/base", b"/psp/a//b/%2F;c?d", b"/base/v2/a//b/%2F;c?d"),
        (b"/", b"", b"/base", b"/charges", b"/base/charges"),
        (b"/", b"/v2", b"", b"/charges", b"/v2/charges"),
        (b"/", None, b"", b"/", b"/"),
    ],
)
def test_the_path_at_the_partner(
    prefix: bytes, replace: bytes | None, base: bytes, target: bytes, expected: bytes
) -> None:
    """Base, then the prefix kept, left out or replaced, then the rest byte by byte.

    No slash is added that the application did not write: partners answer such a path with a
    redirect, which is no charge.
    """
    assert _rewriter(prefix=prefix, replace=replace, base=base).target(target) == expected


def _sent(fields: list[Header], rules: HeaderRules) -> list[tuple[bytes, bytes]]:
    made = call(request(fields=fields))
    return _read(_rewriter(rules=rules).payload(made, SPAN))[2]


def test_configured_headers_stand_in_place_of_the_applications() -> None:
    """In any spelling and however often it sent them."""
    rules = HeaderRules((header(b"Authorization", b"Bearer ours"),), frozenset((b"x-internal",)))
    fields = headers(
        ("authorization", "Bearer theirs"),
        ("AUTHORIZATION", "Basic theirs"),
        ("X-Internal", "1"),
        ("x-INTERNAL", "2"),
        ("X-Kept", "3"),
    )
    sent = _sent(fields, rules)
    assert [value for name, value in sent if name == b"authorization"] == [b"Bearer ours"]
    assert b"x-internal" not in dict(sent)
    assert dict(sent)[b"x-kept"] == b"3"


def test_what_is_between_the_application_and_us_never_reaches_a_partner() -> None:
    """`Tidegate-*`, the caller's span, its trace state and its baggage."""
    fields = headers(
        ("Tidegate-Token", "secret"),
        ("TIDEGATE-Deadline-Ms", "5"),
        ("tidegate-anything", "x"),
        ("traceparent", "00-" + "a" * 32 + "-" + "b" * 16 + "-01"),
        ("TraceState", "vendor=1"),
        ("Baggage", "user=4111111111111111"),
    )
    sent = _sent(fields, HeaderRules())
    names = {name for name, _ in sent}
    assert names == {b"host", b"traceparent", b"content-length"}
    assert dict(sent)[b"traceparent"] == b"00-" + b"a" * 32 + b"-" + SPAN + b"-01"


def test_the_host_is_the_upstreams() -> None:
    """Whatever name the application used for us."""
    made = call(request(host=b"localhost"))
    sent = _read(_rewriter().payload(made, SPAN))[2]
    assert [value for name, value in sent if name == b"host"] == [b"a.example"]


TOKENS = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True)
VALUES = st.from_regex(r"([!-~]([ -~]{0,20}[!-~])?)?", fullmatch=True)
FRAMING = frozenset(
    ("host", "connection", "content-length", "transfer-encoding", "expect", "te", "upgrade")
)
FIELDS = st.lists(
    st.tuples(
        TOKENS.filter(lambda name: name.lower() not in FRAMING)
        | st.sampled_from(["Tidegate-X", "Baggage", "X-Set", "x-removed"]),
        VALUES,
    ),
    max_size=12,
)


@given(
    st.sampled_from([b"POST", b"PUT", b"PATCH", b"GET", b"DELETE", b"OPTIONS"]),
    st.from_regex(r"(/[A-Za-z0-9._~%-]{0,8}){0,3}(\?[!-~]{0,10})?", fullmatch=True),
    FIELDS,
    st.binary(max_size=300),
)
def test_h11_reads_what_the_reference_says(
    method: bytes, tail: str, fields: list[tuple[str, str]], body: bytes
) -> None:
    """One request, the expected line, exactly the expected headers in order, the same body."""
    rules = HeaderRules((header(b"X-Set", b"ours"),), frozenset((b"x-removed",)))
    target = b"/psp" + tail.encode()
    made = call(request(method, target, headers(*fields), body))
    read = _read(_rewriter(replace=b"/v2", rules=rules).payload(made, SPAN))
    dropped = {"x-set", "x-removed", "traceparent", "tracestate", "baggage"}
    kept = [
        (name.lower().encode(), value.encode())
        for name, value in fields
        if name.lower() not in dropped and not name.lower().startswith("tidegate-")
    ]
    own = [
        (b"host", b"a.example"),
        (b"x-set", b"ours"),
        (b"traceparent", b"00-" + b"a" * 32 + b"-" + SPAN + b"-01"),
    ]
    framed = body or method in (b"POST", b"PUT", b"PATCH")
    length = [(b"content-length", b"%d" % len(body))] if framed else []
    assert read == (method, b"/v2" + tail.encode(), own + kept + length, body)


def test_the_call_itself_is_left_as_it_was() -> None:
    """The next candidate rewrites the same request."""
    fields = headers(("Tidegate-Token", "x"), ("A", "b"))
    made = call(request(fields=fields))
    first = _rewriter().payload(made, SPAN)
    assert made.request.headers == fields
    assert _rewriter().payload(made, SPAN) == first


def test_a_partner_with_keys_of_its_own_gets_ours() -> None:
    """In place of the application's, which another tenant may use too; others get what was sent."""
    ticket = Ticket(b"i" * 16, 1, 0, "tg-ours", False, None, frozenset())
    asked = request(fields=headers(("idempotency-key", "theirs"), ("X-A", "1")))
    for own, ticketed, expected in (
        (OwnKeys(b"Idempotency-Key"), ticket, [b"tg-ours"]),
        (OwnKeys(b"Cko-Idempotency-Key"), ticket, [b"tg-ours", b"theirs"]),
        (OwnKeys(), ticket, [b"theirs"]),
        (OwnKeys(b"Idempotency-Key"), None, [b"theirs"]),
    ):
        at = replaced(candidate(upstream=upstream()), own_keys=own)
        made = call(asked)
        made.ticket = ticketed
        _, _, fields, _ = _read(Rewriter(route(at), at).payload(made, SPAN))
        assert [value for name, value in fields if b"idempotency-key" in name] == expected


def test_a_call_with_a_key_asks_for_codings_that_can_be_kept() -> None:
    """Its answer is stored for the retry; other calls get what they asked for."""
    made = call(request(fields=headers(("Accept-Encoding", "gzip, br"), ("Accept", "br"))))
    asked = [_read(_rewriter().payload(made, SPAN))[2]]
    made.ticket = Ticket(b"i" * 16, 1, 0, "tg-ours", False, None, frozenset())
    asked.append(_read(_rewriter().payload(made, SPAN))[2])
    found = [dict(fields) for fields in asked]
    assert [fields[b"accept-encoding"] for fields in found] == [b"gzip, br", b"gzip"]
    assert [fields[b"accept"] for fields in found] == [b"br", b"br"]

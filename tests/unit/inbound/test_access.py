"""`proxy.inbound.access`: who may call, and which paths are no paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.inbound.access import access, insist, judge
from proxy.inbound.translate import Identities, translate
from proxy.model.call import Call
from proxy.model.message import Header
from proxy.model.outcome import Answered, Execution, Outcome, Refused
from tests.support.values import CARD, headers, request, response

HOSTS = frozenset((b"localhost", b"api.example.com", b"[::1]"))
REACHED = Answered("acme", "a", response(), Execution.DONE)


def _judged(
    fields: list[Header] | None = None,
    *,
    target: bytes = b"/psp/charges",
    host: bytes = b"localhost",
    token: bytes | None = None,
) -> Refused | None:
    asked = request(target=target, fields=fields or [], host=host)
    return judge(translate(asked, Identities(b"seed")), HOSTS, token)


@pytest.mark.parametrize(
    ("sent", "accepted"),
    [
        ((), False),
        ((("Tidegate-Token", ""),), False),
        ((("Tidegate-Token", "s3cre"),), False),
        ((("Tidegate-Token", "s3cret0"),), False),
        ((("Tidegate-Token", "S3CRET"),), False),
        ((("Authorization", "s3cret"),), False),
        ((("Tidegate-Token", "s3cret"),), True),
        ((("TIDEGATE-TOKEN", "s3cret"),), True),
    ],
)
def test_where_a_token_is_asked_for_only_exactly_it_opens(
    sent: tuple[tuple[str, str], ...], accepted: bool
) -> None:
    """Another case, a part, or another header is no token; the header's own case does not count."""
    refused = _judged(headers(*sent), token=b"s3cret")
    assert (refused is None) is accepted
    if refused is not None:
        assert (refused.status, refused.reason) == (401, "token")


def test_where_no_token_is_asked_for_any_is_ignored() -> None:
    """An application may send one everywhere."""
    assert _judged(headers(("Tidegate-Token", "whatever"))) is None


@pytest.mark.parametrize("name", ["Origin", "Sec-Fetch-Site", "SEC-FETCH-MODE", "sec-fetch-dest"])
@pytest.mark.parametrize("value", ["", "null", "same-origin", "https://api.example.com"])
def test_what_a_browser_sends_is_refused_whatever_it_says(name: str, value: str) -> None:
    """A page on this machine must not reach the partners' credentials, even from our own origin."""
    refused = _judged(headers((name, value)))
    assert refused is not None
    assert (refused.status, refused.reason) == (403, "browser")


@pytest.mark.parametrize("host", [b"api.example.com", b"localhost", b"[::1]"])
def test_a_named_host_is_accepted(host: bytes) -> None:
    """By a route or by `listen.hosts`."""
    assert _judged(host=host) is None


@pytest.mark.parametrize(
    "host", [b"evil.example", b"localhost.", b"api.example.com.evil.example", b"", b"127.0.0.1"]
)
def test_any_other_host_is_misdirected(host: bytes) -> None:
    """It is how DNS rebinding shows: 421."""
    refused = _judged(host=host)
    assert refused is not None
    assert (refused.status, refused.reason) == (421, "unknown_host")


DOTS = [".", "..", "%2e", "%2E", "%2e%2E", "%2E%2e", ".%2e", "%2e.", "%252e%252e", "%25252E."]
ENDS = ["", "/", "/x", "%2f", "%2Fx", "%252fx", "%5c", "%5Cx", ";x", ";/x", "%3bx", "?x=1", "/?x"]
STARTS = ["/", "/psp/", "/psp/charges/", "/psp//", "/psp%2f", "/psp%2F", "/psp%5c", "/psp%252f"]


@pytest.mark.parametrize("dots", DOTS)
@pytest.mark.parametrize("start", STARTS)
def test_a_dot_segment_in_any_spelling_is_refused(start: str, dots: str) -> None:
    """Plain, encoded once or more, after and before a slash in any spelling, and at the end."""
    for end in ENDS:
        refused = _judged(target=f"{start}{dots}{end}".encode())
        assert refused is not None, (start, dots, end)
        assert (refused.status, refused.reason) == (400, "dot_segment")


@pytest.mark.parametrize(
    "target",
    [
        "/psp/...",
        "/psp/.well-known/x",
        "/psp/..x/y",
        "/psp/x..",
        "/psp/x./y",
        "/psp/v1.2/charges",
        "/psp/%2e%2e%2ex",
        "/psp/a%2eb",
        "/psp/100%25/x",
        "/psp/a%20b",
        "/psp?next=/../admin",
        "/psp/x?y=%2e%2e/",
    ],
)
def test_dots_that_are_no_segment_of_the_path_pass(target: str) -> None:
    """Names with dots are ordinary, and the query is the partner's business."""
    assert _judged(target=target.encode()) is None


@given(
    st.lists(st.sampled_from([".", "..", "%2e", "/", "%2F", "%5c", "a", "%61", ";p"]), max_size=8)
)
def test_no_path_that_passes_climbs_after_decoding(parts: list[str]) -> None:
    """A partner that decodes, then cuts at slashes, finds no `..` in what we let through."""
    target = "/" + "".join(parts)
    if _judged(target=target.encode()) is not None:
        return
    decoded = target
    for encoded, plain in (("%2e", "."), ("%2F", "/"), ("%5c", "/"), ("%61", "a")):
        decoded = decoded.replace(encoded, plain)
    segments = [segment.partition(";")[0] for segment in decoded.split("/")]
    assert ".." not in segments
    assert "." not in segments


def test_refusals_repeat_nothing_of_the_request() -> None:
    """The detail is a fixed sentence of ours."""
    for refused in (
        _judged(target=f"/{CARD}/..".encode()),
        _judged(host=CARD.encode()),
        _judged(headers(("Origin", CARD))),
        _judged(headers(("Tidegate-Token", CARD)), token=b"s3cret"),
    ):
        assert refused is not None
        assert CARD not in repr(refused)


async def test_the_layer_lets_only_the_accepted_through() -> None:
    """What is refused never reaches the layer below."""
    reached: list[bytes] = []

    async def inner(made: Call) -> Outcome:
        reached.append(made.request.target)
        return REACHED

    handle = access(HOSTS, None)(inner)
    good = translate(request(target=b"/good"), Identities(b"1"))
    bad = translate(request(target=b"/bad/.."), Identities(b"2"))
    assert await handle(good) is REACHED
    assert isinstance(await handle(bad), Refused)
    assert reached == [b"/good"]


@pytest.mark.parametrize(
    ("host", "target", "words"),
    [
        (b"evil.example", b"/x", "421 unknown_host"),
        (b"localhost", b"/x/%2e%2e/y", "400 dot_segment"),
    ],
)
def test_what_nobody_may_call_can_be_told_without_a_call(
    host: bytes, target: bytes, words: str
) -> None:
    """`tidegate explain` must not show a route that no call gets to."""
    with pytest.raises(LookupError, match=words):
        insist(host, target, frozenset((b"localhost",)))
    insist(b"localhost", b"/x?y=/../z", frozenset((b"localhost",)))

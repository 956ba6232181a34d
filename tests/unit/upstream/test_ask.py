"""Rules for asking an upstream something of our own."""

from __future__ import annotations

from dataclasses import replace

from proxy.model.call import Call
from proxy.model.message import header
from proxy.model.outcome import Answered, Execution, Outcome, Refused
from proxy.model.route import Candidate, Credentials, HeaderRules
from proxy.model.settling import OAuth2, Question
from proxy.upstream.ask import Asking
from proxy.upstream.transport import Transport
from tests.support.manual_clock import ManualClock
from tests.support.values import response, rule, upstream

KEY = HeaderRules((header(b"Authorization", b"Basic x"), header(b"X-Merchant", b"7")))
OAUTH = OAuth2("auth", b"/token", "client", "secret", None)
ASKED = Question(b"GET", b"/p?ref=r1", "inquire")
TOKEN = b'{"access_token": "t-%d", "token_type": "Bearer", "expires_in": 600}'


class Partner:
    """Upstream `a`, and `auth` that gives tokens; `answers` says what the next answer of `a` is."""

    def __init__(self, credentials: Credentials) -> None:
        self.clock = ManualClock()
        self.sent: list[tuple[str, bytes]] = []
        self.calls: list[Call] = []
        self.status = 200
        self.token_status = 200
        operations = {name: rule() for name in ("inquire", "void", "other")}
        upstreams = {
            name: replace(upstream(name, base_path=b"/api"), operations=operations)
            for name in ("a", "auth")
        }
        self._transports = {name: Transport(None) for name in upstreams}  # type: ignore[arg-type]
        self.asking = Asking(
            self._attempt, self.clock, lambda: "0" * 24, lambda: b"t" * 32, upstreams,
            dict.fromkeys(upstreams, credentials),
        )  # fmt: skip

    async def _attempt(self, call: Call, candidate: Candidate) -> Outcome:
        assert call.route is not None
        name = candidate.upstream.name
        rewriter = self._transports[name].rewriter(call.route, candidate)
        self.sent.append((name, rewriter.payload(call, b"s" * 16)))
        self.calls.append(call)
        if name == "auth":
            body = TOKEN % len(self.sent)
            answer = response(self.token_status, (), body)
        else:
            answer = response(self.status, (), b"{}")
        return Answered("acme", name, answer, Execution.DONE)


async def test_an_inquiry_is_a_get_with_the_configured_headers() -> None:
    """One attempt, within its own deadline, under its own trace, and without a key."""
    partner = Partner(Credentials(KEY))
    outcome = await partner.asking.ask("a", ASKED)
    assert isinstance(outcome, Answered)
    ((name, payload),), (call,) = partner.sent, partner.calls
    assert (name, call.ticket) == ("a", None)
    assert call.deadline_at == partner.clock.now() + 15.0
    assert payload.startswith(b"GET /api/p?ref=r1 HTTP/1.1\r\nHost: a.example\r\n")
    assert b"Authorization: Basic x\r\n" in payload
    assert b"X-Merchant: 7\r\n" in payload
    assert payload.endswith(b"\r\n\r\n")


async def test_a_reversal_has_a_method_headers_and_a_body() -> None:
    """They are sent as they are."""
    partner = Partner(Credentials(KEY))
    asked = Question(b"PUT", b"/void", "void", ((b"X-Key", b"tg-1"),), b'{"ref": "r1"}')
    await partner.asking.ask("a", asked)
    ((_, payload),), (call,) = partner.sent, partner.calls
    assert call.route is not None
    assert call.route.operation == "void"
    assert payload.startswith(b"PUT /api/void HTTP/1.1\r\n")
    assert b"X-Key: tg-1\r\n" in payload
    assert payload.lower().count(b"content-length: 13\r\n") == 1
    assert payload.endswith(b'\r\n\r\n{"ref": "r1"}')


async def test_a_token_is_fetched_once_and_takes_the_place_of_other_credentials() -> None:
    """The token's own request carries the client's name and secret, and nothing else does."""
    partner = Partner(Credentials(KEY, OAUTH))
    await partner.asking.ask("a", ASKED)
    await partner.asking.ask("a", ASKED)
    (at, fetched), (_, first), (_, second) = partner.sent
    assert (at, fetched.startswith(b"POST /api/token HTTP/1.1\r\n")) == ("auth", True)
    assert b"Authorization: Basic Y2xpZW50OnNlY3JldA==\r\n" in fetched
    assert fetched.endswith(b"\r\n\r\ngrant_type=client_credentials")
    for payload in (first, second):
        assert payload.count(b"Authorization: ") == 1
        assert b"Authorization: Bearer t-1\r\n" in payload
        assert b"X-Merchant: 7\r\n" in payload
        assert b"Y2xpZW50OnNlY3JldA==" not in payload


async def test_a_token_that_is_refused_is_dropped() -> None:
    """The next question has a new one; this one is not repeated."""
    partner = Partner(Credentials(HeaderRules(), OAUTH))
    partner.status = 401
    await partner.asking.ask("a", ASKED)
    assert len(partner.sent) == 2
    partner.status = 200
    await partner.asking.ask("a", ASKED)
    assert [name for name, _ in partner.sent] == ["auth", "a", "auth", "a"]
    assert b"Bearer t-3\r\n" in partner.sent[-1][1]


async def test_without_a_token_nothing_is_sent() -> None:
    """So nothing can be in doubt."""
    partner = Partner(Credentials(HeaderRules(), OAUTH))
    partner.token_status = 503
    outcome = await partner.asking.ask("a", ASKED)
    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.execution) == ("no_token", Execution.NONE)
    assert [name for name, _ in partner.sent] == ["auth"]


async def test_upstreams_of_one_partner_share_its_token() -> None:
    """It is the partner's."""
    partner = Partner(Credentials(HeaderRules(), OAUTH))
    await partner.asking.ask("a", ASKED)
    await partner.asking.ask("auth", ASKED)
    assert [name for name, _ in partner.sent] == ["auth", "a", "auth"]


async def test_a_question_may_have_less_time() -> None:
    """A check's; what is given is its deadline."""
    partner = Partner(Credentials(KEY))
    await partner.asking.ask("a", ASKED, 2.0)
    [made] = partner.calls
    assert made.deadline_at == partner.clock.now() + 2.0

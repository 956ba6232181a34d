"""Asking an upstream something of our own: what no application has called for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from proxy.model.call import Call
from proxy.model.clock import Clock
from proxy.model.message import Request, header
from proxy.model.outcome import Answered, Origin, Outcome, Refused
from proxy.model.route import Candidate, Credentials, HeaderRules, Retry, Route, Upstream
from proxy.model.settling import OAuth2, Question
from proxy.pipeline.layer import AttemptHandler
from proxy.upstream.oauth2 import Tokens
from proxy.upstream.token import question

_DEADLINE_S = 15.0
"""What partners ask for status inquiries (see docs/journal.md)."""
_AUTHORIZATION = b"authorization"
_UNAUTHORIZED = 401
_NO_TOKEN = Refused(
    "no_token", 503, "There is no token for the partner, so nothing was asked.", Origin.PARTNER
)


class Asking:
    """One attempt for each question, with the partner's credentials; a token where it wants one."""

    def __init__(
        self,
        attempt: AttemptHandler,
        clock: Clock,
        call_id: Callable[[], str],
        trace_id: Callable[[], bytes],
        upstreams: Mapping[str, Upstream],
        credentials: Mapping[str, Credentials],
        name: str = "(settle)",
    ) -> None:
        self._attempt = attempt
        self._clock = clock
        self._call_id = call_id
        self._trace_id = trace_id
        self._upstreams = upstreams
        self._credentials = credentials
        self._name = name
        """A route's, of which what is fixed about its requests is made once for each upstream."""
        self._tokens: dict[OAuth2, Tokens] = {}

    async def ask(self, upstream: str, asked: Question, within_s: float = _DEADLINE_S) -> Outcome:
        """How it ended; a question without its token is not sent."""
        oauth2 = self._credentials[upstream].oauth2
        if oauth2 is None:
            headers = self._credentials[upstream].headers
            return await self._send(self._name, upstream, asked, headers, within_s=within_s)
        tokens = self._tokens_of(oauth2)
        token = await tokens.get()
        if token is None:
            return _NO_TOKEN
        outcome = await self._send(
            self._name, upstream, asked, self._bare(upstream), b"Bearer " + token,
            within_s=within_s,
        )  # fmt: skip
        if isinstance(outcome, Answered) and outcome.response.status == _UNAUTHORIZED:
            tokens.drop(token)
        return outcome

    def _tokens_of(self, oauth2: OAuth2) -> Tokens:
        if oauth2 not in self._tokens:
            name = oauth2.upstream
            self._tokens[oauth2] = Tokens(
                lambda: self._send("(token)", name, question(oauth2), self._bare(name)), self._clock
            )
        return self._tokens[oauth2]

    def _bare(self, upstream: str) -> HeaderRules:
        """The configured headers without a credential of another kind in the token's place."""
        rules = self._credentials[upstream].headers
        put = tuple(each for each in rules.put if each[0] != _AUTHORIZATION)
        return HeaderRules(put, rules.remove - {_AUTHORIZATION})

    async def _send(
        self,
        name: str,
        upstream: str,
        asked: Question,
        headers: HeaderRules,
        authorization: bytes | None = None,
        *,
        within_s: float = _DEADLINE_S,
    ) -> Outcome:
        there = self._upstreams[upstream]
        rule = there.operations[asked.operation]
        candidate = Candidate(there, there.timeouts, headers, rule)
        now = self._clock.now()
        own = [header(key, value) for key, value in asked.headers]
        if authorization is not None:
            own.append(header(b"Authorization", authorization))
        request = Request(asked.method, asked.target, there.authority, own, asked.body, now)
        call = Call(request, self._call_id(), now, {}, deadline_at=now + within_s)
        call.route, call.trace_id = _route(name, asked.operation, candidate), self._trace_id()
        call.about, call.candidates = asked.about, (candidate,)
        return await self._attempt(call, candidate)


def _route(name: str, operation: str, candidate: Candidate) -> Route:
    return Route(
        name=name, hosts=frozenset(), path_prefix=b"/", methods=frozenset(),
        replace_prefix=None, operation=operation, candidates=(candidate,),
        deadline_s=_DEADLINE_S, retry=Retry(1, 0.0, 0.0),
    )  # fmt: skip

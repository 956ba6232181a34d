"""PURE. The one canonical request that a partner gets.

From the application's headers the configured ones, all `Tidegate-*` and the
trace context are taken out; the configured ones and `traceparent` are put in,
and nothing else. `tracestate` and `baggage` never reach a partner. A call with a key
asks only for content codings in which its answer can be kept.
"""

from __future__ import annotations

from proxy.http1.wire import encode_request
from proxy.model.call import Call
from proxy.model.message import Header
from proxy.model.route import Candidate, Route
from proxy.upstream.codings import readable

_ACCEPTED = b"accept-encoding"
_OURS = frozenset((b"traceparent", b"tracestate", b"baggage"))


class Rewriter:
    """Rewrites calls of one route for one of its candidates; all that is fixed is made once."""

    __slots__ = ("_base", "_cut", "_dropped", "_fixed", "_key_header")

    def __init__(self, route: Route, candidate: Candidate) -> None:
        upstream, rules = candidate.upstream, candidate.headers
        lines = [b"Host: " + upstream.authority]
        lines += [name + b": " + value for _, name, value in rules.put]
        self._fixed = b"\r\n".join(lines) + b"\r\ntraceparent: 00-"
        self._dropped = _OURS | rules.remove | {key for key, _, _ in rules.put}
        self._key_header = candidate.own_keys.header
        prefix = route.path_prefix.rstrip(b"/")
        self._cut = len(prefix) if route.replace_prefix is not None else 0
        self._base = upstream.base_path + (route.replace_prefix or b"").rstrip(b"/")

    def target(self, target: bytes) -> bytes:
        """The path and query at the partner."""
        rest = target[self._cut :]
        if rest.startswith(b"/"):
            return self._base + rest
        return (self._base or b"/") + rest

    def payload(self, call: Call, span_id: bytes) -> bytes:
        """The whole request as bytes."""
        request = call.request
        dropped = self._dropped
        headers = [
            header
            for header in request.headers
            if header[0] not in dropped and not header[0].startswith(b"tidegate-")
        ]
        fixed = self._fixed + b"-".join((call.trace_id, span_id, call.trace_flags)) + b"\r\n"
        if call.ticket is not None:
            headers = [_kept(each) if each[0] == _ACCEPTED else each for each in headers]
            if self._key_header is not None:
                own = self._key_header.lower()
                headers = [header for header in headers if header[0] != own]
                fixed += b"%b: %b\r\n" % (self._key_header, call.ticket.partner_key.encode())
        return encode_request(
            request.method, self.target(request.target), fixed, headers, request.body
        )


def _kept(asked: Header) -> Header:
    key, name, value = asked
    return key, name, readable(value)

"""Who may call. The sidecar holds the partners' credentials, so the answer matters.

A page in a browser on the same machine could reach a loopback port: requests
with an Origin or with fetch metadata are refused, and so is any Host that no
route and no setting names (which is how DNS rebinding shows).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable

from proxy.model.call import Call
from proxy.model.outcome import Outcome, Refused
from proxy.pipeline.layer import Handler, Layer, Ready

_BROWSER = (b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest")
_DOT_SEGMENT = re.compile(
    rb"(?:/|%(?:25)*(?:2f|5c))(?:\.|%(?:25)*2e){1,2}(?:[/;]|%(?:25)*(?:2f|5c|3b)|$)",
    re.IGNORECASE,
)
"""Also as a partner reads it that decodes once or more, and takes a backslash for a slash."""

_BAD_TOKEN = Refused("token", 401, "The Tidegate-Token header is missing or wrong.")
_FROM_BROWSER = Refused("browser", 403, "Requests that a browser made are not accepted.")
_UNKNOWN_HOST = Refused(
    "unknown_host", 421, "No route and no `listen.hosts` entry names this host."
)
_DOTS = Refused("dot_segment", 400, "The path contains `.` or `..` segments.")


def access(hosts: frozenset[bytes], token: bytes | None) -> Layer:
    """The layer; `hosts` in lower case without port, `token` None when none is asked for."""

    def layer(inner: Handler) -> Handler:
        def handle(call: Call) -> Awaitable[Outcome]:
            refused = judge(call, hosts, token)
            return inner(call) if refused is None else Ready(refused)

        return handle

    return layer


def judge(call: Call, hosts: frozenset[bytes], token: bytes | None) -> Refused | None:
    """Why this call is refused, or None."""
    said = call.said
    if token is not None and not hmac.compare_digest(said.get(b"tidegate-token", b""), token):
        return _BAD_TOKEN
    if said and any(key in said for key in _BROWSER):
        return _FROM_BROWSER
    return refusal_of(call.request.host, call.request.target, hosts)


def refusal_of(host: bytes, target: bytes, hosts: frozenset[bytes]) -> Refused | None:
    """Why no call for this host and target is accepted, whoever makes it; or None."""
    if host not in hosts:
        return _UNKNOWN_HOST
    path = target.partition(b"?")[0]
    if (b"/." in path or b"%" in path) and _DOT_SEGMENT.search(path):
        return _DOTS
    return None


def insist(host: bytes, target: bytes, hosts: frozenset[bytes]) -> None:
    """Raise LookupError, with status, reason and detail, for a call that nobody may make."""
    refused = refusal_of(host, target, hosts)
    if refused is not None:
        raise LookupError(f"refused: {refused.status} {refused.reason}: {refused.detail}")

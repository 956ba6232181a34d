"""Which header names and values may be configured (RFC 9110 section 5)."""

from __future__ import annotations

import re

from proxy.settings.problems import Wrong

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}")
_VALUE = re.compile(r"[!-~]([ \t!-~]*[!-~])?")

_OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer"}
    | {"upgrade", "expect"}
)
_TRACING = frozenset({"traceparent", "tracestate", "baggage"})
_CREDENTIAL = re.compile(r"authorization|cookie|key|token|secret|password|signature")


def parse_header_name(text: str) -> str:
    """A name that the configuration may set or remove, in its own spelling."""
    if _TOKEN.fullmatch(text) is None:
        raise Wrong("is not a header name", "use letters, digits and -, without the colon")
    lower = text.lower()
    if lower in _OURS or lower.startswith("proxy-"):
        raise Wrong("is a header that frames the message", "remove it: the sidecar writes it")
    if lower in _TRACING:
        raise Wrong("is a tracing header", "remove it: the sidecar passes the trace on itself")
    if lower.startswith("tidegate-"):
        raise Wrong("is a header between application and sidecar", "choose another name")
    return text


def parse_header_value(text: str) -> str:
    """A value of printable ASCII without blanks at its ends."""
    if _VALUE.fullmatch(text) is None:
        raise Wrong(
            "is not a header value",
            "use printable ASCII on one line, without blanks at the ends",
        )
    return text


def carries_credential(name: str) -> bool:
    """Whether a header of this name usually carries a credential."""
    return _CREDENTIAL.search(name.lower()) is not None

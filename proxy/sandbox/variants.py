"""Answers that no HTTP/1.1 client may believe (PURE), by name; for the fault `wrong_status`.

Each takes a proper answer and bends one thing: the status line, or a framing
that two readers could understand in two ways.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from proxy.sandbox.message import WireAnswer

Bend = Callable[[WireAnswer], bytes]


def _status_line(line: bytes) -> Bend:
    return lambda answer: WireAnswer(line, answer.headers, answer.body).encode()


def _more_headers(*headers: tuple[bytes, bytes]) -> Bend:
    return lambda answer: WireAnswer(
        answer.status_line, [*answer.headers, *headers], answer.body
    ).encode()


def _other_length(value: bytes) -> Bend:
    def bend(answer: WireAnswer) -> bytes:
        bent = answer.without(b"Content-Length")
        bent.headers.append((b"Content-Length", value.replace(b"N", b"%d" % len(answer.body))))
        return bent.encode()

    return bend


def _length_twice(answer: WireAnswer) -> bytes:
    answer.headers.append((b"Content-Length", b"%d" % len(answer.body)))
    return answer.encode()


def _length_and_chunks(answer: WireAnswer) -> bytes:
    answer.headers.append((b"Transfer-Encoding", b"chunked"))
    answer.body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(answer.body), answer.body)
    return answer.encode()


def _unknown_coding(answer: WireAnswer) -> bytes:
    bent = answer.without(b"Content-Length")
    bent.headers.append((b"Transfer-Encoding", b"xchunked"))
    return bent.encode()


def _bare_lf(answer: WireAnswer) -> bytes:
    head, _, body = answer.encode().partition(b"\r\n\r\n")
    return head.replace(b"\r\n", b"\n") + b"\n\n" + body


def _switching(answer: WireAnswer) -> bytes:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    return switch + answer.encode()


VARIANTS: Mapping[str, Bend] = {
    "status_000": _status_line(b"HTTP/1.1 000 X"),
    "status_099": _status_line(b"HTTP/1.1 099 X"),
    "status_999": _status_line(b"HTTP/1.1 999 X"),
    "status_missing": _status_line(b"HTTP/1.1 OK"),
    "http_0_9": _status_line(b"HTTP/0.9 200 OK"),
    "http_2_0": _status_line(b"HTTP/2.0 200 OK"),
    "rtsp": _status_line(b"RTSP/1.0 200 OK"),
    "control_in_reason": _status_line(b"HTTP/1.1 200 O\x01K"),
    "switching_101": _switching,
    "cl_te": _length_and_chunks,
    "duplicate_cl": _length_twice,
    "differing_cl": _more_headers((b"Content-Length", b"5")),
    "cl_list": _other_length(b"N, N"),
    "cl_negative": _other_length(b"-1"),
    "cl_plus": _other_length(b"+N"),
    "te_xchunked": _unknown_coding,
    "bare_lf": _bare_lf,
    "obs_fold": _more_headers((b"X-Folded", b"one\r\n two")),
    "space_before_colon": _more_headers((b"X-Spaced ", b"one")),
    "nul_in_value": _more_headers((b"X-Nul", b"one\x00two")),
}

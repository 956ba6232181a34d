"""Rules for answers that nobody may believe."""

from __future__ import annotations

import h11
import pytest

from proxy.sandbox.message import Answer, wire
from proxy.sandbox.variants import VARIANTS

BENDS = {
    "status_000": b"HTTP/1.1 000 X\r\n",
    "status_099": b"HTTP/1.1 099 X\r\n",
    "status_999": b"HTTP/1.1 999 X\r\n",
    "status_missing": b"HTTP/1.1 OK\r\n",
    "http_0_9": b"HTTP/0.9 200 OK\r\n",
    "http_2_0": b"HTTP/2.0 200 OK\r\n",
    "rtsp": b"RTSP/1.0 200 OK\r\n",
    "control_in_reason": b"HTTP/1.1 200 O\x01K\r\n",
    "switching_101": b"HTTP/1.1 101 Switching Protocols\r\n",
    "cl_te": b"Transfer-Encoding: chunked\r\n\r\ne\r\n",
    "duplicate_cl": b"Sandbox-Time-Ms: 0.000\r\nContent-Length: 14\r\n",
    "differing_cl": b"Sandbox-Time-Ms: 0.000\r\nContent-Length: 5\r\n",
    "cl_list": b"Content-Length: 14, 14\r\n",
    "cl_negative": b"Content-Length: -1\r\n",
    "cl_plus": b"Content-Length: +14\r\n",
    "te_xchunked": b"Transfer-Encoding: xchunked\r\n",
    "bare_lf": b"HTTP/1.1 200 OK\nContent-Type: application/json\n",
    "obs_fold": b"X-Folded: one\r\n two\r\n",
    "space_before_colon": b"X-Spaced : one\r\n",
    "nul_in_value": b"X-Nul: one\x00two\r\n",
}

LENIENT = {
    "bare_lf",
    "cl_list",
    "cl_te",
    "control_in_reason",
    "duplicate_cl",
    "http_0_9",
    "http_2_0",
    "obs_fold",
    "status_999",
}
"""What h11, a lenient reader by design, takes all the same: they are what makes it dangerous."""


def proper() -> bytes:
    """The answer that the variants bend."""
    return wire(Answer(200, {}), None, 0).encode()


@pytest.mark.parametrize("name", VARIANTS)
def test_each_variant_bends_what_its_name_says(name: str) -> None:
    """The bytes named for a variant are in it, and not in a proper answer."""
    bent = VARIANTS[name](wire(Answer(200, {}), None, 0))
    assert BENDS[name] in bent
    assert BENDS[name] not in proper()


@pytest.mark.parametrize("name", sorted(VARIANTS.keys() - LENIENT))
def test_an_independent_reader_refuses_the_others(name: str) -> None:
    """Whatever h11 is not known to take, it refuses; a proper answer it takes."""
    assert read_with_h11(proper()).status_code == 200
    with pytest.raises(h11.RemoteProtocolError):
        read_with_h11(VARIANTS[name](wire(Answer(200, {}), None, 0)))


def read_with_h11(raw: bytes) -> h11.Response:
    """The head of an answer to a GET, as h11 understands it."""
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(raw)
    event = reader.next_event()
    assert isinstance(event, h11.Response)
    return event

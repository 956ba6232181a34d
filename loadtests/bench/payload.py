"""The one call that every subject carries: POST of 250 bytes of JSON, answered with 300 bytes.

The bodies hold no `$`, quote or backslash trouble for nginx and Lua strings, and no card number.
"""

from __future__ import annotations

import json

PATH = "/v1/charges"
REQUEST_BYTES = 250
ANSWER_BYTES = 300


def _padded(members: dict[str, object], size: int) -> str:
    """`members` as JSON text of exactly `size` ASCII bytes, filled up by a last member `note`."""
    bare = json.dumps({**members, "note": ""}, separators=(",", ":"))
    text = json.dumps({**members, "note": "x" * (size - len(bare))}, separators=(",", ":"))
    if len(text) != size:
        raise ValueError(f"the members alone need more than {size} bytes")
    return text


REQUEST_BODY = _padded(
    {
        "amount": 4200,
        "currency": "EUR",
        "source": "tok_bench",
        "reference": "order-000001",
        "capture": False,
    },
    REQUEST_BYTES,
)
ANSWER_BODY = _padded(
    {
        "id": "ch_000001",
        "status": "authorized",
        "amount": 4200,
        "currency": "EUR",
        "reference": "order-000001",
    },
    ANSWER_BYTES,
)


_DONE = """\
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'BENCH {"calls": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, ' ..
    '"connect": %d, "read": %d, "write": %d, "timeout": %d, "status": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.timeout, e.status))
end
"""
"""What wrk calls at the end: the figures as one JSON line."""


def request_bytes(port: int) -> bytes:
    """The whole request as the open loop writes it to `127.0.0.1:port`."""
    head = (
        f"POST {PATH} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {REQUEST_BYTES}\r\n\r\n"
    )
    return (head + REQUEST_BODY).encode("ascii")


def keyed_script(prefix: str) -> str:
    """The same, with another idempotency key in each request; `prefix` is this run's own."""
    return f"""\
local number = 0
local head = 'POST {PATH} HTTP/1.1\\r\\nHost: localhost\\r\\n' ..
  'Content-Type: application/json\\r\\nContent-Length: {REQUEST_BYTES}\\r\\n' ..
  'Idempotency-Key: {prefix}-'
local tail = '\\r\\n\\r\\n' .. '{REQUEST_BODY}'

function request()
  number = number + 1
  return head .. number .. tail
end
{_DONE}"""


def wrk_script() -> str:
    """Lua for wrk: a constant request, built once, and the figures as one JSON line at the end."""
    return f"""\
wrk.method = "POST"
wrk.body = '{REQUEST_BODY}'
wrk.headers["Content-Type"] = "application/json"
{_DONE}"""

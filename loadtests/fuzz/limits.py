"""What generator, reference and the sidecar under test agree on: bounds, names and the canary."""

from __future__ import annotations

REQUEST_LINE_BYTES_MAX = 2048
HEADER_BYTES_MAX = 8192
HEADER_COUNT_MAX = 40
BODY_BYTES_MAX = 16384
SLACK_BYTES = 512
"""Within so many bytes of a bound either verdict is right: what exactly counts is not specified."""
SLACK_COUNT = 4

CHUNK_EXTENSION_BYTES_MAX = 256

METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS")
HOSTS = (b"localhost", b"127.0.0.1", b"[::1]", b"pay.example.test")
ROUTE_HOST = "pay.example.test"
PATH_PREFIX = b"/f"
"""The one route; any other path has none."""

CANARY = b"4111111111111111"
"""A test card number. Wherever an offence can carry bytes it carries these; none may come back."""

CASE_HEADER = b"x-case"
SUBS_MAX = 32
"""Requests per stream, so that stream index and place in it make one number."""

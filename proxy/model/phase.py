"""Where in an attempt time is spent or lost."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """The phases of an attempt, in order; each has its own timeout and its own failure."""

    QUEUE = "queue"
    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    SEND = "send"
    FIRST_BYTE = "first_byte"
    BODY = "body"

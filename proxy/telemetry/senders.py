"""What sends an encoded export, and what can be said of how that went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

ANSWER_BYTES_MAX = 64 * 1024
"""A collector's answer is some bytes; one that sends on for ever is not read on."""


@dataclass(frozen=True, slots=True)
class Sent:
    """How a sending ended. `trouble` is empty if it was taken, else from a fixed vocabulary."""

    trouble: str = ""
    again: bool = False
    """Whether it may be sent once more."""
    answer: bytes = b""


class Sender(Protocol):
    """Sends by one protocol; all of it blocks, in a thread of its own."""

    def send(self, signal: str, body: bytes) -> Sent:
        """Send an export of `traces` or `metrics`; takes `timeout_s` at most, raises nothing."""
        ...

    def give_up(self, now: float) -> None:
        """Called from another thread every second: end what takes too long."""
        ...

    def close(self) -> None:
        """Nothing more will be sent."""
        ...

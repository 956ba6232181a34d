"""What a partner process counts about itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stats:
    """Counts since the start of the process."""

    requests: int = 0
    bad_requests: int = 0
    """Bytes that were no HTTP request; for a proxy under test this should stay 0."""
    bugs: int = 0
    """The simulator's own failures; anything but 0 makes a run worthless."""
    connections_total: int = 0
    handshakes_failed: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    """Faults that took effect, by kind."""

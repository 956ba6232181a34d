"""Reproducible chance (PURE): a draw depends on the seed and on what is drawn for, never on order.

A random generator would give a request another latency as soon as one more
request came before it, and two arms of a comparison would no longer compare.
"""

from __future__ import annotations

import math
from hashlib import blake2b
from statistics import NormalDist

_STANDARD_NORMAL = NormalDist()


def draw(seed: int, *what: str) -> float:
    """A number in the open interval (0, 1), uniform over different `what`."""
    text = "\x00".join((str(seed), *what))
    number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
    return ((number >> 12) + 0.5) / (1 << 52)


def log_normal_s(p50_ms: float, sigma: float, chance: float) -> float:
    """Seconds: the log-normal quantile at `chance`, with median `p50_ms` milliseconds."""
    if not p50_ms:
        return 0.0
    return p50_ms / 1000 * math.exp(sigma * _STANDARD_NORMAL.inv_cdf(chance))

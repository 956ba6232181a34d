"""Durations and sizes as people write them.

A bare number is no duration: whether `3` meant seconds or milliseconds would be
a guess. A bare number is a size, because the keys say `bytes`.
"""

from __future__ import annotations

import re

from proxy.settings.problems import Wrong

DURATION_PATTERN = r"^[0-9]{1,9}(\.[0-9]{1,6})?(ms|s|m|h)$"
SIZE_PATTERN = r"^[0-9]{1,12}(B|KiB|MiB|GiB)?$"

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h)")
_SIZE = re.compile(r"([0-9]{1,12})(B|KiB|MiB|GiB)?")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_BYTES = {None: 1, "B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


def parse_duration(text: str) -> float:
    """Seconds of `250ms`, `3s`, `1.5s`, `2m` or `1h`."""
    found = _DURATION.fullmatch(text)
    if found is None:
        if _NUMBER.fullmatch(text):
            raise Wrong("is a duration without a unit", "add the unit: write 3s, not 3")
        raise Wrong("is not a duration", "write a number and ms, s, m or h, such as 250ms or 3s")
    number, unit = found.groups()
    if unit == "ms":
        return float(number) / 1000.0
    return float(number) * _SECONDS[unit]


def parse_size(text: str) -> int:
    """Bytes of `512`, `512B`, `32KiB`, `1MiB` or `1GiB`."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise Wrong("is not a size", "write a whole number and B, KiB, MiB or GiB, such as 32KiB")
    number, unit = found.groups()
    return int(number) * _BYTES[unit]

"""Durations need a unit, sizes may have one; nothing else is read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.settings.problems import Wrong
from proxy.settings.units import DURATION_PATTERN, SIZE_PATTERN, parse_duration, parse_size

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
BYTES = {"": 1, "B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
NEAR = st.text(alphabet="0123456789.msh KMGiBkb-+e_²٣\n", max_size=8)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("3s", 3.0), ("1.5s", 1.5), ("2m", 120.0), ("1h", 3600.0), ("0s", 0.0)],
)
def test_durations_are_seconds(text: str, seconds: float) -> None:
    """The documented spellings."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(("text", "size"), [("512", 512), ("32KiB", 32768), ("1MiB", 1048576)])
def test_sizes_are_bytes(text: str, size: int) -> None:
    """The documented spellings."""
    assert parse_size(text) == size


@given(st.integers(0, 999_999_999), st.sampled_from(sorted(SECONDS)))
def test_every_whole_duration_is_exact(number: int, unit: str) -> None:
    """No rounding beyond that of one float operation."""
    assert parse_duration(f"{number}{unit}") == pytest.approx(number * SECONDS[unit], rel=1e-15)


@given(st.integers(0, 999_999_999_999), st.sampled_from(sorted(BYTES)))
def test_every_size_is_exact(number: int, unit: str) -> None:
    """Sizes are whole and are not rounded."""
    assert parse_size(f"{number}{unit}") == number * BYTES[unit]


@given(NEAR)
def test_parser_and_schema_accept_the_same(text: str) -> None:
    """What an editor accepts is what the sidecar reads, and the other way round."""
    for parse, pattern in ((parse_duration, DURATION_PATTERN), (parse_size, SIZE_PATTERN)):
        if re.fullmatch(pattern.strip("^$"), text):
            assert parse(text) >= 0
        else:
            with pytest.raises(Wrong):
                parse(text)


@pytest.mark.parametrize("text", ["3", "30", "1.5"])
def test_a_bare_number_is_told_to_have_a_unit(text: str) -> None:
    """The remedy shows the way, without repeating the value."""
    with pytest.raises(Wrong) as caught:
        parse_duration(text)
    assert caught.value.remedy == "add the unit: write 3s, not 3"


@pytest.mark.parametrize("text", ["", "s", "-3s", "3 s", "3S", "1e3s", "3sec", "٣s", "3s\n", ".5s"])
def test_other_spellings_are_no_durations(text: str) -> None:
    """One spelling for each duration, in ASCII."""
    with pytest.raises(Wrong, match="not a duration"):
        parse_duration(text)

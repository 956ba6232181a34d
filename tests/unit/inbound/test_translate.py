"""`proxy.inbound.translate`: identities, the trace, and what is told to us and not to partners."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.inbound.translate import Identities, translate
from tests.support.values import headers, request

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


def test_identities_are_hexadecimal_of_fixed_width_and_differ() -> None:
    """24, 32 and 16 digits, as the label and W3C trace context want them."""
    identities = Identities()
    calls = {identities.call_id() for _ in range(500)}
    traces = {identities.trace_id() for _ in range(500)}
    spans = {identities.span_id() for _ in range(500)}
    assert len(calls) == len(traces) == len(spans) == 500
    assert all(re.fullmatch(r"[0-9a-f]{24}", each) for each in calls)
    assert all(re.fullmatch(rb"[0-9a-f]{32}", each) for each in traces)
    assert all(re.fullmatch(rb"[0-9a-f]{16}", each) for each in spans)


def test_the_same_seed_gives_the_same_identities_and_no_seed_gives_others() -> None:
    """A replay sees the same; two sidecars never do."""
    assert Identities(b"x").call_id() == Identities(b"x").call_id()
    assert Identities().call_id() != Identities().call_id()


class _Zero(Identities):
    """Draws nothing but zeros."""

    def __init__(self) -> None:
        super().__init__(b"")
        self._bits = lambda width: 0


def test_no_identity_of_a_trace_is_all_zero() -> None:
    """All zero means "none" in W3C trace context."""
    assert int(_Zero().trace_id(), 16) == 1
    assert int(_Zero().span_id(), 16) == 1


@pytest.mark.parametrize("flags", ["00", "01", "ff"])
def test_a_valid_trace_is_continued(flags: str) -> None:
    """Its identity, the caller's span and its flags are kept."""
    asked = request(fields=headers(("Traceparent", f"00-{TRACE}-{SPAN}-{flags}")))
    made = translate(asked, Identities(b"x"))
    assert (made.trace_id, made.span_id) == (TRACE.encode(), SPAN.encode())
    assert made.trace_flags == flags.encode()


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}0-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-x",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f"ff-{TRACE}-{SPAN}-01",
        f"00_{TRACE}_{SPAN}_01",
        f"00-{TRACE}-{SPAN}",
    ],
)
def test_any_other_trace_is_replaced(value: str) -> None:
    """A partner never gets an invalid trace of the application; it gets a new valid one."""
    made = translate(request(fields=headers(("traceparent", value))), Identities(b"x"))
    assert re.fullmatch(rb"[0-9a-f]{32}", made.trace_id)
    assert made.trace_id != TRACE.encode()
    assert (made.span_id, made.trace_flags) == (b"", b"02")


@given(st.binary(max_size=60))
def test_whatever_stands_there_the_trace_is_valid(value: bytes) -> None:
    """No value breaks the identity of the call."""
    made = translate(request(fields=[(b"traceparent", b"traceparent", value)]), Identities(b"x"))
    assert re.fullmatch(rb"[0-9a-f]{32}", made.trace_id)
    assert re.fullmatch(rb"[0-9a-f]{2}", made.trace_flags)


def test_only_what_is_meant_for_us_is_noted() -> None:
    """Partners' headers stay in the request, and are not copied."""
    asked = request(
        fields=headers(
            ("Tidegate-Token", "t"),
            ("Tidegate-Deadline-MS", "50"),
            ("Origin", "o"),
            ("Sec-Fetch-Site", "s"),
            ("Authorization", "secret"),
            ("Tidegate-Other", "x"),
        )
    )
    made = translate(asked, Identities(b"x"))
    assert made.said == {
        b"tidegate-token": b"t",
        b"tidegate-deadline-ms": b"50",
        b"origin": b"o",
        b"sec-fetch-site": b"s",
    }
    assert made.request is asked


def test_a_call_begins_at_its_first_byte_with_no_attempt() -> None:
    """The budget is counted from there."""
    made = translate(request(arrived_at=77.5), Identities(b"x"))
    assert made.arrived_at == 77.5
    assert made.attempts == []
    assert made.sent is False


@pytest.mark.parametrize(("ratio", "low", "high"), [(0.0, 0, 0), (0.1, 60, 140), (1.0, 1000, 1000)])
def test_a_share_of_the_traces_that_begin_here_is_sampled(
    ratio: float, low: int, high: int
) -> None:
    """All of them say that their ids are random, so that others may sample by them too."""
    identities = Identities(b"x", ratio)
    made = [translate(request(), identities).trace_flags for _ in range(1000)]
    assert set(made) <= {b"02", b"03"}
    assert low <= made.count(b"03") <= high


def test_the_same_trace_is_sampled_everywhere() -> None:
    """By its id alone, with the same share."""
    low, high = b"f" * 18 + b"0" * 14, b"0" * 18 + b"f" * 14
    for seed in (b"x", b"y"):
        identities = Identities(seed, 0.5)
        assert (identities.flags(low), identities.flags(high)) == (b"03", b"02")

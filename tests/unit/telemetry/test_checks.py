"""`proxy.telemetry.checks`: checks and proofs in the text form."""

from __future__ import annotations

from typing import Any

from proxy.telemetry.checks import check_lines
from tests.support.prometheus import parse

ROW: dict[str, Any] = {
    "upstream": "b", "checks": {"passed": 5, "failed": 2, "unclear": 0}, "failing": True,
    "standby": True, "proven_s": 400.5, "unproven": True,
}  # fmt: skip
FIRST = ROW | {"upstream": "a", "standby": False, "failing": False}


def test_checks_are_counted_and_standbys_have_their_proof() -> None:
    """A first candidate is no standby, so it has none of theirs."""
    text = "\n".join(check_lines([FIRST, ROW], [{"route": "charges", "calls": 7}])) + "\n"
    parse(text)
    assert 'tidegate_checks_total{upstream="b",result="failed"} 2' in text
    assert 'tidegate_check_failing{upstream="a"} 0' in text
    assert 'tidegate_check_failing{upstream="b"} 1' in text
    assert 'tidegate_standby_proven_seconds{upstream="b"} 400.5' in text
    assert 'tidegate_standby_unproven{upstream="b"} 1' in text
    assert 'tidegate_standby_proven_seconds{upstream="a"}' not in text
    assert 'tidegate_standby_calls_total{route="charges"} 7' in text


def test_where_nothing_is_checked_there_is_nothing() -> None:
    """Also no empty family."""
    assert list(check_lines([], [])) == []

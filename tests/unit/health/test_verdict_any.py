"""`proxy.health.verdict` over any evidence: what it may name, and what never."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from proxy.health.evidence import Evidence
from proxy.health.sentence import sentence
from proxy.health.symptom import Kind
from proxy.health.verdict import judge

_EVIDENCE = st.builds(
    Evidence,
    partner=st.just(""),
    upstream=st.sampled_from(("a1", "a2", "b1", "c1")),
    operation=st.sampled_from(("authorize", "refund")),
    value=st.sampled_from((None, ("scheme", "visa"), ("scheme", "amex"))),
    phase=st.sampled_from(
        ("resolve", "connect", "tls", "queue", "first_byte", "body", "answer", "settle")
    ),
    kind=st.sampled_from(list(Kind)),
    reason=st.sampled_from(("timeout", "refused", "status_500", "certificate_expired")),
    origin=st.sampled_from(("us", "partner", "application", "dns", "network")),
    bad=st.integers(0, 50),
    calls=st.integers(50, 100),
    low=st.floats(0.0, 1.0),
    since=st.floats(0.0, 60.0),
    last=st.floats(60.0, 70.0),
    open=st.booleans(),
    fresh=st.booleans(),
    certain=st.sampled_from(("", "", "", "it is known")),
)


def _slice_and_trouble(each: Evidence) -> tuple[object, ...]:
    return (each.upstream, each.operation, each.value, each.phase, each.kind)


@given(
    st.lists(_EVIDENCE, max_size=12, unique_by=_slice_and_trouble),
    st.sampled_from(({}, {"a": 69.0}, {"c": 69.0})),
)
def test_whatever_the_evidence_verdicts_name_only_what_is_open_and_nothing_twice(
    found: list[Evidence], reached: dict[str, float]
) -> None:
    """Each has a place, a sentence and numbers that fit; suspicion alone names nobody."""
    found = [replace(each, partner=each.upstream[0]) for each in found]
    verdicts = judge(found, reached, {}, 70.0)
    open_ones = {each.upstream for each in found if each.open or each.certain}
    told: list[tuple[str, str, str, str]] = []
    for verdict in verdicts:
        assert open_ones & set(verdict.upstreams)
        assert 0 <= verdict.bad <= max(verdict.calls, 0)
        text = sentence(verdict, lambda instant: instant)
        assert text.endswith(".")
        assert text.count(". ") == 0
        told += [(verdict.phase, verdict.kind, verdict.reason, at.slice) for at in verdict.places]
    assert len(told) == len(set(told))
    if not open_ones:
        assert verdicts == []

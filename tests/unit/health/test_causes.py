"""`proxy.health.causes`: the cause is told and not what follows from it, in the narrowest slice."""

from __future__ import annotations

from typing import Any

from proxy.health.causes import by_upstream, causes, explained
from proxy.health.evidence import Evidence, Part
from proxy.health.symptom import Kind


def evidence(phase: str, **over: Any) -> Evidence:
    """Ten of ten calls, open."""
    members: dict[str, Any] = {
        "partner": "acme", "upstream": "a", "operation": "authorize", "value": None,
        "phase": phase, "kind": Kind.FAILED, "reason": "timeout", "origin": "partner",
        "bad": 10, "calls": 10, "low": 0.6, "since": 1000.0, "last": 1009.0, "open": True,
        **over,
    }  # fmt: skip
    return Evidence(**members)


def _phases(*found: Evidence) -> list[str]:
    return [each.phase for each in causes(found, 1010.0)]


def _parts(**counts: tuple[int, int]) -> tuple[Part, ...]:
    return tuple(Part(("scheme", value), *count) for value, count in counts.items())


def test_what_cannot_be_reached_has_no_other_trouble() -> None:
    """Timeouts of old connections and a full queue follow from it."""
    found = (evidence("first_byte"), evidence("queue"), evidence("connect", reason="refused"))
    assert _phases(*found) == ["connect"]


def test_phases_before_sending_are_the_upstreams_and_add_up() -> None:
    """Whatever the operation."""
    both = (evidence("tls"), evidence("tls", operation="refund", bad=5, calls=6, since=990.0))
    (found,) = causes(both, 1010.0)
    assert (found.operation, found.bad, found.calls, found.since) == ("", 15, 16, 990.0)


def test_a_name_in_trouble_stands_beside_calls_that_fail_otherwise() -> None:
    """Its old addresses are used on, so both are true."""
    name = evidence("resolve", certain="used on", bad=0, calls=0)
    assert sorted(_phases(name, evidence("answer", reason="status_500"))) == ["answer", "resolve"]


def test_slowness_beside_failures_of_the_same_operation_is_not_told() -> None:
    """Of another operation it is."""
    slow = evidence("first_byte", kind=Kind.SLOW, operation="refund")
    same = evidence("first_byte", kind=Kind.SLOW)
    assert len(causes((evidence("body"), slow), 1010.0)) == 2
    assert len(causes((evidence("body"), same), 1010.0)) == 1


def test_one_value_explains_a_trouble_if_the_rest_is_well_without_it() -> None:
    """Not if the rest fails too, and not if there is no rest to compare with."""
    assert [part.value for part in explained(_parts(visa=(5, 15), amex=(0, 20)))] == [
        ("scheme", "visa")
    ]
    assert explained(_parts(visa=(5, 15), amex=(6, 20))) == ()
    assert explained(_parts(visa=(5, 15), amex=(0, 2))) == ()
    assert explained(()) == ()


def test_several_values_may_explain_it_together() -> None:
    """Two schemes of one family, say."""
    found = explained(_parts(visa=(10, 10), electron=(9, 10), amex=(0, 30)))
    assert [part.value[1] for part in found] == ["visa", "electron"]


def test_a_narrow_trouble_alone_is_told_as_it_is() -> None:
    """The broad slice may not show it, where the value is a small part of it."""
    narrow = evidence("answer", value=("scheme", "amex"))
    assert causes((narrow,), 1010.0) == [narrow]


def test_upstreams_are_judged_each_by_itself() -> None:
    """In the order in which they were met."""
    found = by_upstream((evidence("tls"), evidence("tls", upstream="b"), evidence("body")))
    assert {name: len(group) for name, group in found.items()} == {"a": 2, "b": 1}

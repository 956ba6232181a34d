"""`proxy.health.verdict`: whose fault it is, in which slice and phase, told from evidence alone."""

from __future__ import annotations

import pytest

from proxy.health.verdict import Confidence
from proxy.model.outcome import Origin
from proxy.model.phase import Phase
from tests.support.healthy import Watched, in_doubt, ok, unsent
from tests.support.values import candidate


def _fail(watched: Watched, seconds: int, *names: str, phase: Phase, reason: str,
          origin: Origin = Origin.PARTNER, well: tuple[str, ...] = ()) -> None:  # fmt: skip
    for _ in range(seconds):
        for name in names:
            for value in ("visa", "amex"):
                watched.end(name, unsent(watched.at[name], phase, reason, origin), value)
        watched.good(*well)
        watched.second()


@pytest.mark.parametrize(
    ("phase", "reason", "told_by_attempt", "origin"),
    [
        (Phase.CONNECT, "refused", Origin.PARTNER, "partner"),
        (Phase.CONNECT, "timeout", Origin.NETWORK, "partner"),
        (Phase.CONNECT, "unreachable", Origin.NETWORK, "network"),
        (Phase.CONNECT, "no_local_port", Origin.PROXY, "us"),
        (Phase.CONNECT, "no_descriptor", Origin.PROXY, "us"),
        (Phase.TLS, "certificate_expired", Origin.PARTNER, "partner"),
        (Phase.TLS, "client_certificate_refused", Origin.PROXY, "us"),
        (Phase.RESOLVE, "no_such_name", Origin.DNS, "dns"),
        (Phase.QUEUE, "pool_full", Origin.PROXY, "us"),
    ],
)
def test_a_single_partner_that_fails_is_blamed_by_phase_and_reason(
    phase: Phase, reason: str, told_by_attempt: Origin, origin: str
) -> None:
    """While another partner answers over the same network."""
    watched = Watched("a", "b")
    watched.seconds(20, good=("a", "b"))
    _fail(watched, 6, "a", phase=phase, reason=reason, origin=told_by_attempt, well=("b",))
    slice_ = "a" if phase in (Phase.RESOLVE, Phase.CONNECT, Phase.TLS) else "a · authorize"
    assert watched.named == [(("a",), slice_, phase.value, origin)]
    assert watched.health.verdicts[0].confidence is Confidence.HIGH


def test_a_connection_that_times_out_is_the_networks_while_nobody_else_is_reached() -> None:
    """One partner alone proves nothing about our own network."""
    watched = Watched("a")
    watched.seconds(20, good=("a",))
    _fail(watched, 40, "a", phase=Phase.CONNECT, reason="timeout", origin=Origin.NETWORK)
    assert watched.named == [(("a",), "a", "connect", "network")]


def test_two_partners_failing_at_once_in_the_same_phase_are_the_network_or_us() -> None:
    """One verdict for both, while a third one is well."""
    watched = Watched("a", "b", "c")
    watched.seconds(20, good=("a", "b", "c"))
    _fail(watched, 6, "a", "b", phase=Phase.CONNECT, reason="timeout", origin=Origin.NETWORK,
          well=("c",))  # fmt: skip
    assert watched.named == [(("a", "b"), "a; b", "connect", "network")]


def test_two_partners_failing_for_different_reasons_are_two_verdicts() -> None:
    """Refused by one, certificate expired at the other."""
    watched = Watched("a", "b", "c")
    watched.seconds(20, good=("a", "b", "c"))
    for _ in range(6):
        watched.end("a", unsent(watched.at["a"], Phase.CONNECT, "refused"))
        watched.end("b", unsent(watched.at["b"], Phase.TLS, "certificate_expired"))
        watched.good("c")
        watched.second()
    assert sorted(watched.named) == [
        (("a",), "a", "connect", "partner"),
        (("b",), "b", "tls", "partner"),
    ]


def test_certificates_of_two_partners_expired_at_once_are_our_clock() -> None:
    """Or our store of roots; two partners do not forget on the same day."""
    watched = Watched("a", "b", "c")
    watched.seconds(20, good=("a", "b", "c"))
    _fail(watched, 6, "a", "b", phase=Phase.TLS, reason="certificate_expired", well=("c",))
    assert watched.named == [(("a", "b"), "a; b", "tls", "us")]


def test_one_scheme_failing_at_one_partner_names_the_slice_and_the_partner() -> None:
    """A third of visa's calls; amex is well."""
    watched = Watched("a", "b")
    watched.seconds(30, good=("a", "b"))
    for number in range(45):
        bad = number % 3 == 0
        watched.end("a", ok(watched.at["a"], 500 if bad else 200), "visa")
        watched.end("a", ok(watched.at["a"]), "amex")
        watched.good("b", value="visa")
        watched.second()
    assert watched.named == [(("a",), "a · authorize · scheme=visa", "answer", "partner")]


def test_one_scheme_failing_at_all_partners_that_have_it_is_the_scheme() -> None:
    """Nobody else could make both fail for visa alone."""
    watched = Watched("a", "b")
    watched.seconds(30, good=("a", "b"))
    for _ in range(10):
        for name in ("a", "b"):
            watched.end(name, ok(watched.at[name], 500), "visa")
            watched.good(name, value="amex")
        watched.second()
    slices = "a · authorize · scheme=visa; b · authorize · scheme=visa"
    assert watched.named == [(("a", "b"), slices, "answer", "scheme")]


def test_all_schemes_failing_name_the_operation() -> None:
    """Not one verdict for each."""
    watched = Watched("a", "b")
    watched.seconds(30, good=("a", "b"))
    for _ in range(10):
        watched.end("a", ok(watched.at["a"], 502), "visa")
        watched.end("a", ok(watched.at["a"], 500), "amex")
        watched.good("b")
        watched.second()
    assert watched.named == [(("a",), "a · authorize", "answer", "partner")]


def test_issuers_declines_are_nobodys_fault() -> None:
    """However many: 402, and 200 with a declined payment."""
    watched = Watched("a", "b")
    for _ in range(60):
        watched.end("a", ok(watched.at["a"], 402), "visa")
        watched.second()
    assert watched.named == []


@pytest.mark.parametrize(("status", "origin"), [(401, "us"), (404, "us"), (400, "application")])
def test_requests_refused_in_mass_are_ours_or_the_applications(status: int, origin: str) -> None:
    """Credentials and addresses are ours, the rest of a request is the application's."""
    watched = Watched("a", "b")
    watched.seconds(20, good=("a", "b"))
    for _ in range(10):
        watched.end("a", ok(watched.at["a"], status), "visa")
        watched.end("a", ok(watched.at["a"], status), "amex")
        watched.second()
    assert watched.named == [(("a",), "a · authorize", "answer", origin)]


def test_slowness_is_the_partners_with_its_limit_in_the_sentence() -> None:
    """Answers that take three seconds where one is slow."""
    watched = Watched("a", "b")
    watched.seconds(20, good=("a", "b"))
    for _ in range(12):
        for value in ("visa", "amex"):
            watched.end("a", ok(watched.at["a"]), value, took_s=3.0)
        watched.good("b")
        watched.second()
    assert watched.named == [(("a",), "a · authorize", "first_byte", "partner")]
    text = watched.reports.verdicts()["verdicts"][0]["sentence"]
    assert "answers take longer than 1 s" in text


def test_timeouts_on_old_connections_are_not_told_before_a_new_one_failed() -> None:
    """Two partners whose old connections died say nothing of whose fault it is yet."""
    watched = Watched("a", "b")
    watched.seconds(20, good=("a", "b"))
    for _ in range(4):
        watched.end("a", in_doubt(watched.at["a"]), "visa", reused=True)
        watched.end("a", in_doubt(watched.at["a"]), "amex", reused=True)
        watched.second()
    assert watched.named == []
    watched.end("a", in_doubt(watched.at["a"]), "visa")
    watched.second()
    assert watched.named == [(("a",), "a · authorize", "first_byte", "partner")]


def test_a_queue_that_fills_since_the_partner_hangs_is_not_the_cause() -> None:
    """What hangs is named, and not our own pool."""
    watched = Watched("a", "b")
    watched.seconds(20, good=("a", "b"))
    for _ in range(8):
        watched.end("a", in_doubt(watched.at["a"]), "visa")
        full = unsent(watched.at["a"], Phase.QUEUE, "pool_full", Origin.PROXY)
        watched.end("a", full, "amex")
        watched.good("b")
        watched.second()
    assert [(partners, phase) for partners, _, phase, _ in watched.named] == [
        (("a",), "first_byte")
    ]


def test_a_blip_of_two_seconds_is_no_verdict() -> None:
    """Whatever fails in it."""
    watched = Watched("a")
    watched.seconds(20, good=("a",))
    _fail(watched, 2, "a", phase=Phase.CONNECT, reason="refused")
    watched.seconds(20, good=("a",))
    assert watched.named == []
    assert watched.events == []


def test_two_upstreams_of_a_partner_that_fail_alike_are_one_verdict() -> None:
    """With a place for each, and it is no network because of that."""
    watched = Watched("a", "b", "c")
    watched.at["b"] = candidate("b", "a")
    watched.seconds(20, good=("a", "b", "c"))
    _fail(watched, 6, "a", "b", phase=Phase.CONNECT, reason="refused", well=("c",))
    assert watched.named == [(("a",), "a; b", "connect", "partner")]

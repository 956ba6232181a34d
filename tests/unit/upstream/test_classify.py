"""`proxy.upstream.classify`: what each ending of an attempt proves, and whose doing it was."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.model.message import Failure
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Unsent
from proxy.model.phase import Phase
from proxy.model.route import OperationRule
from proxy.upstream.classify import classify, execution_of, origin_of
from tests.support.values import candidate, response, rule

REASONS = ("timeout", "refused", "reset", "unreachable", "pool_full", "deadline", "malformed")


@pytest.mark.parametrize("status", range(200, 600))
def test_the_default_table_for_every_status(status: int) -> None:
    """2xx, 3xx, 4xx done; 429 none; 408, 409, 425 and all 5xx unknown."""
    expected = Execution.DONE
    if status == 429:
        expected = Execution.NONE
    elif status in (408, 409, 425) or status >= 500:
        expected = Execution.UNKNOWN
    assert execution_of(status, rule()) is expected


def test_an_exact_status_wins_over_its_class() -> None:
    """In both directions."""
    table = rule(statuses={5: Execution.NONE, 503: Execution.UNKNOWN, 200: Execution.UNKNOWN})
    assert execution_of(502, table) is Execution.NONE
    assert execution_of(503, table) is Execution.UNKNOWN
    assert execution_of(200, table) is Execution.UNKNOWN
    assert execution_of(201, table) is Execution.DONE


@pytest.mark.parametrize("status", [100, 199, 600, 999])
def test_what_no_table_knows_proves_nothing(status: int) -> None:
    """Unknown is the only honest word for it."""
    assert execution_of(status, OperationRule(rule().money, {2: Execution.DONE})) is (
        Execution.UNKNOWN
    )


@pytest.mark.parametrize("status", [200, 402, 429, 500])
def test_an_answer_keeps_its_response_and_names_the_partner(status: int) -> None:
    """Origin partner, execution by the candidate's own rule."""
    answer = response(status)
    outcome = classify(answer, candidate("a", "acme"))
    assert isinstance(outcome, Answered)
    assert outcome.response is answer
    assert (outcome.partner, outcome.upstream) == ("acme", "a")
    assert (outcome.origin, outcome.reason) == (Origin.PARTNER, "answered")
    assert outcome.execution is execution_of(status, rule())


@pytest.mark.parametrize(("phase", "reason"), list(itertools.product(Phase, REASONS)))
@pytest.mark.parametrize("sent", [False, True])
def test_only_whether_it_was_sent_decides_between_none_and_unknown(
    phase: Phase, reason: str, sent: bool
) -> None:
    """No phase and no reason can turn a possible execution into none, or the other way round."""
    outcome = classify(Failure(phase, reason, sent), candidate("a", "acme"))
    assert isinstance(outcome, InDoubt if sent else Unsent)
    assert outcome.execution is (Execution.UNKNOWN if sent else Execution.NONE)
    assert (outcome.partner, outcome.upstream) == ("acme", "a")
    assert (outcome.phase, outcome.reason) == (phase, reason)


@pytest.mark.parametrize(
    ("phase", "reason", "origin"),
    [
        (Phase.QUEUE, "pool_full", Origin.PROXY),
        (Phase.QUEUE, "pool_timeout", Origin.PROXY),
        (Phase.QUEUE, "draining", Origin.PROXY),
        (Phase.CONNECT, "no_source_address", Origin.PROXY),
        (Phase.CONNECT, "proxy_auth", Origin.NETWORK),
        (Phase.CONNECT, "proxy_no_route", Origin.NETWORK),
        (Phase.CONNECT, "proxy_unreachable", Origin.NETWORK),
        (Phase.RESOLVE, "proxy_no_such_name", Origin.DNS),
        (Phase.RESOLVE, "no_such_name", Origin.DNS),
        (Phase.RESOLVE, "server_failure", Origin.DNS),
        (Phase.RESOLVE, "timeout", Origin.DNS),
        (Phase.RESOLVE, "deadline", Origin.PROXY),
        (Phase.CONNECT, "refused", Origin.PARTNER),
        (Phase.CONNECT, "reset", Origin.PARTNER),
        (Phase.CONNECT, "timeout", Origin.NETWORK),
        (Phase.CONNECT, "unreachable", Origin.NETWORK),
        (Phase.CONNECT, "no_local_port", Origin.PROXY),
        (Phase.CONNECT, "no_descriptor", Origin.PROXY),
        (Phase.TLS, "certificate_expired", Origin.PARTNER),
        (Phase.TLS, "certificate_hostname", Origin.PARTNER),
        (Phase.TLS, "certificate_unknown_ca", Origin.PARTNER),
        (Phase.TLS, "client_certificate_required", Origin.PROXY),
        (Phase.TLS, "client_certificate_refused", Origin.PROXY),
        (Phase.TLS, "timeout", Origin.PARTNER),
        (Phase.SEND, "closed", Origin.PARTNER),
        (Phase.FIRST_BYTE, "timeout", Origin.PARTNER),
        (Phase.SEND, "deadline", Origin.PROXY),
        (Phase.BODY, "malformed", Origin.PARTNER),
        (Phase.BODY, "body_bytes_max", Origin.PARTNER),
    ],
)
def test_whose_doing_it_is(phase: Phase, reason: str, origin: Origin) -> None:
    """Ours, the name servers', the network's or the partner's, as far as one attempt can tell."""
    assert origin_of(Failure(phase, reason, sent=False)) is origin


@pytest.mark.parametrize("phase", [Phase.SEND, Phase.FIRST_BYTE, Phase.BODY])
def test_a_deadline_that_passes_at_the_partner_is_the_partners(phase: Phase) -> None:
    """A partner that hangs until then is not reported as our doing."""
    assert origin_of(Failure(phase, "deadline", sent=True)) is Origin.PARTNER


@given(st.sampled_from(list(Phase)), st.text(max_size=12), st.booleans())
def test_every_failure_has_an_outcome(phase: Phase, reason: str, sent: bool) -> None:
    """No reason is too strange, and none makes it an answer or a refusal."""
    outcome = classify(Failure(phase, reason, sent), candidate())
    assert isinstance(outcome, Unsent | InDoubt)
    assert outcome.origin in set(Origin) - {Origin.APPLICATION}

"""Rules for what is done about calls in doubt."""

from __future__ import annotations

from proxy.model.settling import NO_RULE, OAuth2, SettleRule
from tests.unit.idempotency.values import INQUIRY, REVERSAL


def test_a_rule_knows_what_the_partner_is_asked_by() -> None:
    """A reversal's reference counts where there is one."""
    assert NO_RULE.reference is None
    assert SettleRule(INQUIRY).reference == INQUIRY.reference
    assert SettleRule(reversal=REVERSAL).reference == REVERSAL.reference


def test_secrets_stay_out_of_every_repr() -> None:
    """As those of headers do."""
    assert "s3cret" not in repr(OAuth2("a", b"/t", "client", "s3cret", None))

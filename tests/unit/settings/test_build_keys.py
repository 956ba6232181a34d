"""Rules for keys as the stack reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.model.route import Credentials, HeaderRules, KeyFrom, OwnKeys
from proxy.model.settling import Inquiry, OAuth2, Reversal, SettleRule
from proxy.model.setup import Built
from proxy.settings.build import build
from tests.unit.settings.example import BASE, changed, load_text

JOURNAL = "journal: {path: j.db}\n"
PARTNER = (
    "  north:\n",
    (
        "  north:\n"
        "    idempotency: {header: X-Key, length_max: 40, window: 24h, margin: 2h}\n"
        "    inquiries:\n"
        "      authorize: {reference: /ref, target: '/p?r={reference}', found: /id, "
        "none_values: [void]}\n"
    ),
)


def built(folder: Path, text: str) -> Built:
    """What a text means."""
    return build(load_text(folder, text).settings)


def test_without_a_journal_nothing_is_known_again(tmp_path: Path) -> None:
    """Not even what a partner promises is used."""
    found = built(tmp_path, changed(PARTNER))
    assert [route.idempotency for route in found.routes] == [None, None]
    assert found.settle == {}


def test_with_a_journal_keys_are_optional_where_money_moves(tmp_path: Path) -> None:
    """Scoped by the partners of the candidates; the header is known in any spelling."""
    found = built(tmp_path, BASE + JOURNAL)
    rule = found.routes[0].idempotency
    assert rule is not None
    assert (rule.key_from, rule.header) == (KeyFrom.OPTIONAL, b"idempotency-key")
    assert (rule.tenant, rule.group, rule.wait_s) == ("default", "north", 5.0)
    assert found.routes[0].candidates[0].own_keys == OwnKeys()


@pytest.mark.parametrize(
    ("said", "key_from"),
    [("{key: off}", None), ("{key: required}", KeyFrom.REQUIRED), ("{}", KeyFrom.OPTIONAL)],
)
def test_a_route_says_otherwise(tmp_path: Path, said: str, key_from: KeyFrom | None) -> None:
    """Also an operation that moves no money may be known again, if the route says so."""
    text = changed(
        ("    operation: authorize\n", f"    operation: inquire\n    idempotency: {said}\n")
    )
    rule = built(tmp_path, text + JOURNAL).routes[0].idempotency
    assert (rule.key_from if rule else None) is key_from


def test_an_operation_without_money_is_left_alone(tmp_path: Path) -> None:
    """An inquiry is not worth a row."""
    text = changed(("    operation: authorize\n", "    operation: inquire\n"))
    assert built(tmp_path, text + JOURNAL).routes[0].idempotency is None


def test_what_a_partner_promises(tmp_path: Path) -> None:
    """Its window less a margin; each upstream can be asked by itself."""
    found = built(tmp_path, changed(PARTNER) + JOURNAL)
    own = found.routes[0].candidates[1].own_keys
    assert own == OwnKeys(b"X-Key", 40, 22 * 3600.0, frozenset({402}))
    inquiry = Inquiry(
        "/ref", "/p?r={reference}", "/id", frozenset({"void"}), frozenset({404}), 120.0
    )
    rule = SettleRule(inquiry)
    assert found.settle == {
        ("north-a", "authorize"): rule,
        ("north-b", "authorize"): rule,
    }
    assert [each.settle for each in found.routes[0].candidates] == [rule, rule]
    assert found.routes[1].candidates[0].settle == SettleRule()


def test_all_that_a_route_can_say(tmp_path: Path) -> None:
    """Nothing of it is lost."""
    said = (
        "{key: fields, fields: [/a], volatile: [/b], header: X-K, length_max: 9, tenant: t, "
        "tenant_header: X-T, group: g, wait: 2s}"
    )
    text = changed(("    operation: authorize\n", f"    idempotency: {said}\n"))
    rule = built(tmp_path, text + JOURNAL).routes[0].idempotency
    assert rule is not None
    assert (rule.key_from, rule.fields, rule.volatile) == (KeyFrom.FIELDS, ("/a",), ("/b",))
    assert (rule.header, rule.length_max, rule.wait_s) == (b"x-k", 9, 2.0)
    assert (rule.tenant, rule.tenant_header, rule.group) == ("t", b"x-t", "g")


VOLATILE = ("  north:\n", "  north:\n    volatile: [/sent_at, /trace]\n")


def volatile(folder: Path, *changes: tuple[str, str]) -> tuple[str, ...]:
    """What may differ between two tries on the first route."""
    rule = built(folder, changed(*changes) + JOURNAL).routes[0].idempotency
    assert rule is not None
    return rule.volatile


def test_what_a_partner_lets_differ_holds_for_its_routes(tmp_path: Path) -> None:
    """Also for a route with other rules of its own."""
    assert volatile(tmp_path, VOLATILE) == ("/sent_at", "/trace")
    said = ("    operation: authorize\n", "    idempotency: {wait: 1s}\n")
    assert volatile(tmp_path, VOLATILE, said) == ("/sent_at", "/trace")


def test_a_routes_own_word_wins_over_its_partners(tmp_path: Path) -> None:
    """Also if it says that nothing may differ."""
    said = "    idempotency: {volatile: %s}\n"
    route = "    operation: authorize\n"
    assert volatile(tmp_path, VOLATILE, (route, said % "[/a]")) == ("/a",)
    assert volatile(tmp_path, VOLATILE, (route, said % "[]")) == ()


def test_several_partners_let_differ_what_all_of_them_do(tmp_path: Path) -> None:
    """A repetition may go to any of them."""
    both = ("candidates: [north-a, north-b]", "candidates: [north-a, south-a]")
    south = ("  south:\n", "  south:\n    volatile: [/trace, /other]\n")
    assert volatile(tmp_path, VOLATILE, both) == ()
    assert volatile(tmp_path, VOLATILE, both, south) == ("/trace",)


@pytest.mark.parametrize(
    ("mode", "resends", "asks", "reverses"),
    [
        ("resend", True, False, False),
        ("inquire", False, True, False),
        ("inquire_then_resend", True, True, False),
        ("reverse", False, False, True),
        ("wait", False, False, False),
    ],
)
def test_what_a_mode_means(
    tmp_path: Path, mode: str, resends: bool, asks: bool, reverses: bool
) -> None:
    """Only what the mode says is done, whatever else the partner would allow."""
    said = (
        f"    settle: {{authorize: {mode}}}\n"
        "    credentials: {}\n"
        "    reversals: {authorize: {reference: /ref, target: '/void?r={reference}'}}\n"
    )
    found = built(tmp_path, changed((PARTNER[0], PARTNER[1] + said)) + JOURNAL)
    candidate = found.routes[0].candidates[0]
    assert (candidate.own_keys.resend_s > 0.0, candidate.own_keys.header) == (resends, b"X-Key")
    rule = candidate.settle
    assert (rule.inquiry is not None, rule.reversal is not None) == (asks, reverses)
    assert rule.resend_when_absent is (mode == "inquire_then_resend")
    assert rule.reference == ("/ref" if asks or reverses else None)
    expected = (
        {}
        if rule == SettleRule()
        else dict.fromkeys([("north-a", "authorize"), ("north-b", "authorize")], rule)
    )
    assert found.settle == expected


def test_a_reversal_has_the_partners_own_key(tmp_path: Path) -> None:
    """And all that is written of it."""
    said = (
        "    settle: {authorize: reverse}\n"
        "    credentials: {}\n"
        "    reversals: {authorize: {reference: /ref, method: PUT, target: /void, "
        'body: \'{"r": "{reference}"}\', done_statuses: [202], nothing_statuses: [410], '
        "after: 5s, absent_after: 9s}}\n"
    )
    found = built(tmp_path, changed((PARTNER[0], PARTNER[1] + said)) + JOURNAL)
    assert found.settle["north-a", "authorize"].reversal == Reversal(
        "/ref", b"PUT", "/void", '{"r": "{reference}"}', frozenset({202}), frozenset({410}),
        5.0, 9.0, b"X-Key", 40,
    )  # fmt: skip


def test_credentials_of_questions(tmp_path: Path) -> None:
    """The upstream's headers, then the partner's, and the token's source."""
    said = (
        "    credentials:\n"
        "      headers: {set: {X-A: ours}, remove: [X-B]}\n"
        "      oauth2: {upstream: north-b, target: /t, client_id: me, client_secret: s, scope: p}\n"
    )
    url = "        url: https://b.north.example\n"
    text = changed(("  north:\n", "  north:\n" + said)).replace(
        url, url + "        headers: {set: {X-A: theirs, X-B: b, X-C: c}}\n"
    )
    found = built(tmp_path, text + JOURNAL).credentials
    assert found["north-b"].oauth2 == OAuth2("north-b", b"/t", "me", "s", "p")
    sent = {name: value for _, name, value in found["north-b"].headers.put}
    assert sent == {b"X-A": b"ours", b"X-C": b"c"}
    assert found["south-a"] == Credentials(HeaderRules())

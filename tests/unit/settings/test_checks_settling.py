"""Rules for mistakes about how calls in doubt are settled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.example import changed, load_text, problems_of

JOURNAL = "journal: {path: j.db}\n"
OWN = "    idempotency: {header: K}\n"
INQUIRIES = (
    "    inquiries: {authorize: {reference: /ref, target: '/p?r={reference}', found: /id}}\n"
)
REVERSALS = "    reversals: {authorize: {reference: /ref, target: '/void?r={reference}'}}\n"
NO_CREDENTIALS = "    credentials: {}\n"


def south(*said: str) -> str:
    """The example with a journal, whose partner `south` says this, too."""
    upstreams = "    upstreams:\n      south-a:\n"
    return changed((upstreams, "".join(said) + upstreams)) + JOURNAL


def mode(word: str) -> str:
    """How authorisations are settled there."""
    return f"    settle: {{authorize: {word}}}\n"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (south(mode("resend")), "settle.authorize", "needs idempotency"),
        (south(mode("inquire"), OWN, NO_CREDENTIALS), "settle.authorize", "needs inquiries"),
        (south(mode("inquire_then_resend"), OWN), "settle.authorize", "needs inquiries"),
        (south(mode("reverse"), INQUIRIES), "settle.authorize", "needs reversals"),
        (south(mode("inquire"), INQUIRIES), "settle.authorize", "has no credentials"),
        (south(mode("reverse"), REVERSALS), "settle.authorize", "has no credentials"),
    ],
)
def test_a_mode_without_what_it_needs(tmp_path: Path, text: str, place: str, words: str) -> None:
    """Better now than when a call is in doubt."""
    (problem,) = problems_of(tmp_path, text)
    assert (problem.path, words in problem.message) == (f"partners.south.{place}", True)
    assert problem.remedy


@pytest.mark.parametrize(
    "said",
    [
        (mode("wait"),),
        (mode("resend"), OWN),
        (mode("inquire"), INQUIRIES, NO_CREDENTIALS),
        (mode("inquire_then_resend"), INQUIRIES, NO_CREDENTIALS),
        (mode("reverse"), REVERSALS, NO_CREDENTIALS),
        (INQUIRIES,),
    ],
)
def test_what_makes_sense_is_accepted(tmp_path: Path, said: tuple[str, ...]) -> None:
    """Without a mode nothing more is asked for than before."""
    assert problems_of(tmp_path, south(*said)) == []


def test_what_an_upstream_sends_anyway_are_credentials(tmp_path: Path) -> None:
    """A header that carries one, or a client certificate, at every upstream of the partner."""
    asking = south(mode("inquire"), INQUIRIES)
    url = "        url: https://south.example\n"
    header = asking.replace(url, url + "        headers: {set: {Authorization: '${K}'}}\n")
    assert load_text(tmp_path, header, {"K": "k"}).warnings == []
    (tmp_path / "c.pem").write_text("-")
    files = "{client_certificate_file: c.pem, client_key_file: c.pem}"
    assert problems_of(tmp_path, asking.replace(url, url + f"        tls: {files}\n")) == []


def test_a_secret_in_the_file_itself_is_warned_of(tmp_path: Path) -> None:
    """In a header, or for a token."""
    oauth2 = "{upstream: south-a, target: /t, client_id: c, client_secret: s3cret}"
    said = f"    credentials: {{headers: {{set: {{X-Api-Key: k3y}}}}, oauth2: {oauth2}}}\n"
    warnings = load_text(tmp_path, south(said)).warnings
    assert [warning.path for warning in warnings] == [
        "partners.south.credentials.headers.set.X-Api-Key",
        "partners.south.credentials.oauth2.client_secret",
    ]
    assert "s3cret" not in str(warnings)


def test_the_reference_must_not_be_volatile(tmp_path: Path) -> None:
    """The partner would be asked about the first try by the reference of the second."""
    said = "    idempotency: {volatile: [/at, /ref]}\n"
    route = "  - name: rest\n    match: {path: /}\n"
    text = south(INQUIRIES).replace(route, route + "    operation: authorize\n" + said)
    (problem,) = problems_of(tmp_path, text)
    assert problem.path == "routes[1].idempotency.volatile[1]"
    assert problem.remedy
    partner = south(INQUIRIES, "    volatile: [/ref, /at]\n")
    (problem,) = problems_of(tmp_path, partner)
    assert problem.path == "partners.south.volatile[0]"

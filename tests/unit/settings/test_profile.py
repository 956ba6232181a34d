"""Every shipped profile can be used, says where it has its facts from, and is in the wheel."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from proxy.model.outcome import Execution
from proxy.settings.partner import Facts, Partner
from proxy.settings.profile import OWN_KEYS, Profile, shipped
from proxy.settings.reader import read_tree
from proxy.settings.tree import Node
from proxy.settings.validate import validate_as
from tests.unit.settings.example import ROOT, changed, load_text

NAMES = list(shipped())
MONEY = ("authorize", "capture", "refund", "void", "other")
DAY_S = timedelta(days=1).total_seconds()


def written(name: str) -> tuple[Node, Profile]:
    """A profile as it stands in its own file."""
    root, problems = read_tree(shipped()[name].read_bytes())
    assert root is not None
    assert problems == []
    profile, refused = validate_as(Profile, root, Path())
    assert refused == []
    return root, profile


def leaves(node: Node) -> Iterator[str]:
    """The path of every fact; a list is one fact."""
    if isinstance(node.value, dict):
        for _, child in node.children():
            yield from leaves(child)
    else:
        yield node.path


def partner_with(directory: Path, profile: str) -> Partner:
    """A partner of which a configuration says nothing else but that it asks for no credentials."""
    text = changed(
        ("  north:\n    operations:\n      authorize: {execution: {\"402\": none}}\n",
         f"  north:\n    profile: {profile}\n    credentials: {{}}\n")
    )  # fmt: skip
    loaded = load_text(directory, text)
    assert loaded.warnings == []
    return loaded.settings.partners["north"]


def test_the_promised_profiles_are_there() -> None:
    """The partners that the documentation names."""
    assert {"adyen", "checkout-com", "generic-rest", "paypal", "stripe"} <= set(NAMES)
    assert {"sandbox-acquirer", "sandbox-processor"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_profile_can_be_used(name: str, tmp_path: Path) -> None:
    """Without a problem or a warning; its name is that of its file."""
    partner_with(tmp_path, name)
    assert written(name)[1].name == name


@pytest.mark.parametrize("name", NAMES)
def test_every_fact_has_a_source(name: str) -> None:
    """And every source is the source of a fact."""
    root, profile = written(name)
    assert isinstance(root.value, dict)
    facts = [leaf for key, node in root.children() if key not in OWN_KEYS for leaf in leaves(node)]
    named = [fact for source in profile.sources for fact in source.facts]
    assert [fact for fact in facts if not any(_is_below(fact, each) for each in named)] == []
    assert [each for each in named if not any(_is_below(fact, each) for fact in facts)] == []


def _is_below(fact: str, named: str) -> bool:
    return fact == named or fact.startswith(named + ".")


@pytest.mark.parametrize("name", NAMES)
def test_a_source_is_a_page_that_anybody_can_read(name: str) -> None:
    """A public address, or a page of this repository."""
    for source in written(name)[1].sources:
        assert source.page.startswith("https://") or (ROOT / source.page).is_file()


@pytest.mark.parametrize("name", NAMES)
def test_a_doubtful_status_proves_nothing_at_any_partner(name: str, tmp_path: Path) -> None:
    """Neither a server error nor a conflict, whatever moves the money."""
    operations = partner_with(tmp_path, name).operations
    for operation in MONEY:
        execution = operations[operation].execution
        assert {execution[each] for each in ("408", "409", "425", "5xx")} == {Execution.UNKNOWN}


@pytest.mark.parametrize(
    ("name", "header", "window_s", "resend_s"),
    [
        ("stripe", "Idempotency-Key", DAY_S, DAY_S - 3600),
        ("adyen", "Idempotency-Key", 7 * DAY_S, 6 * DAY_S),
        ("checkout-com", "Cko-Idempotency-Key", DAY_S, DAY_S - 3600),
        ("paypal", "PayPal-Request-Id", DAY_S / 4, 5 * 3600.0),
    ],
)
def test_keys_are_repeated_within_what_the_partner_promises(
    name: str, header: str, window_s: float, resend_s: float, tmp_path: Path
) -> None:
    """The shortest window of its pages, less a margin."""
    own = partner_with(tmp_path, name).idempotency
    assert own is not None
    assert (own.header, own.window_s) == (header, window_s)
    assert own.window_s - own.margin_s == resend_s


def test_only_stored_refusals_are_conclusive(tmp_path: Path) -> None:
    """Stripe stores a decline under its key; of the others' refusals nobody can tell."""
    conclusive = {}
    for name in ("stripe", "adyen", "checkout-com", "paypal"):
        own = partner_with(tmp_path, name).idempotency
        assert own is not None
        conclusive[name] = own.conclusive
    assert conclusive == {"stripe": (402,), "adyen": (), "checkout-com": (), "paypal": ()}


def test_a_partner_of_which_nothing_is_known_repeats_nothing(tmp_path: Path) -> None:
    """`generic-rest` has no keys and nothing to ask."""
    partner = partner_with(tmp_path, "generic-rest")
    assert partner.idempotency is None
    assert partner.inquiries == {}


def test_only_a_unique_reference_is_asked_about(tmp_path: Path) -> None:
    """An order may have been declined under its reference: who asks has chosen to."""
    assert partner_with(tmp_path, "checkout-com").inquiries == {}
    asking = partner_with(tmp_path, "checkout-com-by-reference")
    assert asking.inquiries["authorize"].absent_statuses == ()
    assert asking.idempotency == partner_with(tmp_path, "checkout-com").idempotency


def test_profiles_and_partners_have_the_same_facts() -> None:
    """What a profile may say, a configuration may say too; nothing of a place is a fact."""
    facts = set(Facts.model_fields)
    assert set(Profile.model_fields) - facts == OWN_KEYS
    assert set(Partner.model_fields) - facts == {"profile", "credentials", "upstreams"}
    assert "volatile" in facts


def test_the_wheel_has_the_profiles_where_they_are_looked_for() -> None:
    """Edited in `config/partners`, read beside the module; the image is built from both."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "config/partners" in wheel["only-include"]
    assert wheel["sources"] == {"config/partners": "proxy/settings/partners"}
    assert "COPY config/partners config/partners\n" in (ROOT / "Dockerfile").read_text("utf-8")
    assert "!config/partners\n" in (ROOT / ".dockerignore").read_text("utf-8")


def test_an_installed_wheel_reads_its_own_profiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder beside the module wins over a source tree."""
    (tmp_path / "partners").mkdir()
    (tmp_path / "partners" / "ours.yaml").write_text("name: ours\n")
    monkeypatch.setattr("proxy.settings.profile._INSTALLED", tmp_path / "partners")
    assert list(shipped()) == ["ours"]

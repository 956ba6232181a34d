"""Rules for holding partners from tests and replays."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.sandbox.client import SandboxError, SandboxPartner, start_all
from proxy.sandbox.options import PartnerOptions
from tests.unit.sandbox.talk import ask, charge


def test_several_partners_start_together_and_leave_nothing(tmp_path: Path) -> None:
    """Each has ports of its own; after stop their processes are gone and their ledgers readable."""
    partners = start_all(
        *(
            PartnerOptions(kind, kind, 0, 0, tmp_path / f"{kind}.jsonl")
            for kind in ("processor", "acquirer", "threeds")
        )
    )
    ports = {partner.port for partner in partners} | {p.control_port for p in partners}
    assert len(ports) == 6
    ask(partners[0].port, charge("r"))
    for partner in partners:
        assert partner.stop() == 0
        assert partner.process.poll() == 0
    assert [row["reference"] for row in partners[0].ledger()] == ["r"]


def test_if_one_cannot_start_the_others_are_ended(
    processor: SandboxPartner, tmp_path: Path
) -> None:
    """Nobody has to clean up after a start that failed."""
    good = PartnerOptions("threeds", "t", 0, 0, tmp_path / "t.jsonl")
    bad = PartnerOptions("acquirer", "a", processor.port, 0, tmp_path / "a.jsonl")
    with pytest.raises(SandboxError, match="partner a ended before it was ready"):
        start_all(good, bad)
    with SandboxPartner.start("threeds", "t", ledger=good.ledger) as again:
        assert again.ledger() == []


def test_a_ledger_of_its_own_goes_with_the_partner() -> None:
    """Without a path the ledger lies in a folder that stop removes; stopping twice is harmless."""
    with SandboxPartner.start("acquirer", "a") as partner:
        path = partner.ledger_path
        assert path.exists()
        assert partner.stop() == 0
    assert not path.parent.exists()
    assert partner.ledger() == []


def test_a_refused_rule_is_an_error_with_the_reason(processor: SandboxPartner) -> None:
    """A test with a wrong rule fails where it sets it."""
    with pytest.raises(SandboxError, match="rule 1: kind must be one of"):
        processor.set_faults({"kind": "explode"})

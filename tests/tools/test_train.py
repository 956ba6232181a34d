"""A training runs the real sidecar, and what is not answered as it has to be fails it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools import train as tool
from tools.source import ROOT
from tools.train_calls import MIXTURE
from tools.train_house import House, TrainingError

SMALL = tool.Plan(
    alone_calls=len(MIXTURE), together_calls=4 * len(MIXTURE), connections=4, troubled_calls=48
)


@pytest.fixture
def house() -> Iterator[House]:
    """Sidecar and partners, of the sources as they stand."""
    with House(ROOT) as started:
        yield started


def test_all_of_it_goes_as_it_has_to(house: House) -> None:
    """Every kind of call and every trouble, and the sidecar has ended in good order."""
    tool.trained(house, SMALL)
    assert house.process.poll() == 0
    executed = house.partners["processor-a"].ledger()
    assert {"authorize", "decline"} == {row["operation"] for row in executed}
    assert house.partners["processor-b"].ledger()
    assert house.partners["acquirer-a"].ledger()
    assert house.partners["threeds-b"].ledger()


@pytest.mark.parametrize(
    ("upstream", "rule", "said"),
    [
        ("processor-a", {"kind": "status", "status": 500}, "a charge with a key was answered 500"),
        ("acquirer-a", {"kind": "status", "status": 404}, "an acquirer's payment was answered 404"),
        ("acquirer-a", {"kind": "refuse"}, "an acquirer's payment was answered 502, not 200"),
    ],
)
def test_a_partner_that_answers_wrongly_fails_it(
    house: House, upstream: str, rule: dict[str, Any], said: str
) -> None:
    """With the sidecar's own words, since it may be the one to blame."""
    house.partners[upstream].set_faults(rule)
    with pytest.raises(TrainingError, match=rf"(?s){said}.*\nThe sidecar said:\ntidegate ready"):
        tool.trained(house, SMALL)


def test_a_sidecar_that_dies_fails_it(house: House) -> None:
    """At the call that it owes an answer."""
    house.process.kill()
    house.process.wait()
    with pytest.raises(TrainingError, match="takes no connection"):
        tool.trained(house, SMALL)
    with pytest.raises(TrainingError, match="ended with status -9"):
        house.end()


def test_it_takes_no_longer_than_it_may(house: House) -> None:
    """However slow the machine is."""
    with pytest.raises(TrainingError, match="longer than 0 s"):
        tool.trained(house, tool.Plan(longest_s=0.0))


def test_a_package_that_does_not_start_is_told_with_its_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as one whose extension cannot be loaded."""
    (tmp_path / "proxy").mkdir()
    (tmp_path / "proxy" / "__init__.py").write_text("raise SystemExit('broken')", encoding="ascii")
    assert tool.main([str(tmp_path)]) == 1
    assert "train: the sidecar did not start; it said:\nbroken" in capsys.readouterr().err

"""What INC-10 promises: held by an honest history, missed by each planted wrong."""

from __future__ import annotations

import json
from pathlib import Path

from loadtests.incidents import inc_10
from loadtests.incidents.arms import Played
from loadtests.incidents.history import CallRecord, History
from loadtests.incidents.registry import REPLAYS
from proxy.settings.load import load
from tests.loadtests.records import succeeded

FAULT_AT, FOUND_S, CLEARED_AT = 100.0, 3.0, 190.0
NAMED = "first · authorize · scheme=visa: open"


def paid(at: float, scheme: str, upstream: str = "first", status: int = 200) -> CallRecord:
    """A payment that was answered."""
    return succeeded(at, 0.05, scheme, upstream=upstream, status=status)


def honest() -> list[CallRecord]:
    """Mastercard at the first acquirer all the time, Visa at the second one once it was named."""
    records = [paid(float(at), "mastercard") for at in range(60, 220)]
    records += [paid(at + 0.5, "visa", status=500) for at in range(100, 103)]
    return records + [paid(at + 0.5, "visa", "second") for at in range(103, 190)]


def missed(*more: CallRecord, said: str = NAMED, found_s: float = FOUND_S) -> list[str]:
    """The bars that the honest history misses with these records besides."""
    history = History([*honest(), *more])
    played = Played(
        "tidegate", history, FAULT_AT, CLEARED_AT, found_s, {said: found_s} if said else {}
    )
    return [bar.name for bar in inc_10.bars("visa", played) if not bar.held]


def test_it_is_a_replay_with_a_valid_configuration(tmp_path: Path) -> None:
    """Payments are told apart by their scheme."""
    assert REPLAYS["INC-10"] is inc_10.INC_10
    path = tmp_path / "tidegate.yaml"
    config = inc_10.configuration(["http://127.0.0.1:4", "http://127.0.0.1:5"])
    path.write_text(json.dumps(config), encoding="utf-8")
    loaded = load(path, {})
    assert loaded.warnings == []
    assert loaded.settings.routes[0].dimensions[0].pointer == "/card/scheme"


def test_an_honest_history_holds() -> None:
    """Named in time, moved alone."""
    assert missed() == []


def test_the_scheme_has_to_be_named_in_time_and_alone() -> None:
    """Not the whole partner, not late, not never."""
    assert missed(found_s=21.0) == ["failing scheme named"]
    whole = missed(said="first · authorize: open")
    assert whole[:2] == ["failing scheme named", "verdicts on anything else"]
    assert "failing scheme named" in missed(said="", found_s=float("nan"))


def test_no_other_scheme_may_notice() -> None:
    """Neither fail nor move."""
    assert missed(paid(120.0, "amex", status=500)) == ["others' success"]
    assert missed(paid(120.0, "amex", "second")) == ["others rerouted"]


def test_the_failing_scheme_has_to_move() -> None:
    """Most of its calls succeed at the second acquirer."""
    failing = [paid(110.0 + at / 10, "visa", status=500) for at in range(60)]
    assert missed(*failing) == ["visa's success once named"]

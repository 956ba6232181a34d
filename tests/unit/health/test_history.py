"""`proxy.health.history`: what changed at each upstream lately."""

from __future__ import annotations

from proxy.health.history import KEPT_MAX, History
from proxy.model.events import BreakerChanged, Bug, CheckChanged, OverrideChanged
from proxy.model.standing import Kind, Override


def _breaker(state: str, part: str = "", *, shadow: bool = False) -> BreakerChanged:
    return BreakerChanged(
        "acme", "a", "authorize", "closed", state, "5 in a row", 5, 5, shadow, 1.0, part
    )


def test_breakers_checks_and_words_are_lines_the_newest_first() -> None:
    """With where and why."""
    history = History()
    history.note(_breaker("open", "scheme=visa", shadow=True), 1.0)
    history.note(CheckChanged("acme", "a", "failing", "refused", 0.0), 2.0)
    history.note(CheckChanged("acme", "b", "unproven", "nothing for 300 s", 300.0), 3.0)
    said = Override(Kind.DRAIN, "", "a", "they called", "kim", 4.0, 60.0, 64.0)
    history.note(OverrideChanged("set", said, 60.0), 4.0)
    told = [(row["what"], row["state"], row["where"]) for row in history.report(("a", "b"))]
    assert told == [
        ("operator", "drain set", ""),
        ("standby", "unproven", ""),
        ("checks", "failing", ""),
        ("breaker", "open", "authorize · scheme=visa"),
    ]
    first = history.report(("a",))[-1]
    assert first["why"] == "was closed: 5 in a row (shadow: it refuses nothing)"


def test_only_the_newest_are_kept() -> None:
    """A breaker that flaps all night fills no memory."""
    history = History()
    for number in range(3 * KEPT_MAX):
        history.note(_breaker("open"), float(number))
    rows = history.report(("a",))
    assert len(rows) == KEPT_MAX
    assert rows[0]["at"] == 3 * KEPT_MAX - 1


def test_other_events_are_no_lines() -> None:
    """And who has none has none."""
    history = History()
    history.note(Bug("X", "y"), 1.0)
    assert history.report(("a",)) == []

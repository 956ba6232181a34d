"""Rules for the table of faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proxy.sandbox.kinds import KINDS, Execute, Stage, flag, number, one_of, short_text, whole


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        (whole(0, 9), [0, 9], [-1, 10, 1.0, True, "1", None]),
        (number(0, 9), [0, 0.5, 9], [-0.1, 9.1, True, "1", None, float("nan")]),
        (one_of("a", "b"), ["a", "b"], ["c", "", None, 1]),
        (flag, [True, False], [0, 1, "true", None]),
        (short_text, ["x", "x" * 65_536], ["", "x" * 65_537, None, 1]),
    ],
)
def test_a_reader_takes_what_it_says_and_nothing_else(
    read: Callable[[Any], Any], good: list[Any], bad: list[Any]
) -> None:
    """Right values come back as they are, wrong ones end in a sentence beginning with `must be`."""
    for found in good:
        assert read(found) == found
    for found in bad:
        with pytest.raises(ValueError, match=r"^must be"):
            read(found)


def test_only_faults_that_stand_in_for_an_answer_say_when_to_execute() -> None:
    """Listener faults never see a request, and what comes afterwards follows a proper answer."""
    for name, kind in KINDS.items():
        takes_execute = kind.stage in (Stage.PACE, Stage.ANSWER)
        assert bool(kind.execute) == takes_execute, name


def test_executing_before_the_fault_is_the_default_except_for_a_plain_status() -> None:
    """The money-moving case is the one to be tested; a 503 usually comes from a partner's door."""
    defaults = {name: kind.execute[0] for name, kind in KINDS.items() if kind.execute}
    assert defaults.pop("status") is Execute.NEVER
    assert defaults.pop("slow") is Execute.AFTER
    assert set(defaults.values()) == {Execute.BEFORE}

"""PURE. What is done about a row in doubt: its states, and the steps that lead to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

REVERSED = "reversed"
"""The reason of a release: what may have been executed was undone."""


PROVEN_LATER = frozenset(
    ("answered", "absent_by_inquiry", REVERSED, "nothing_to_reverse", "resolved", "webhook")
)
"""The reasons of releases of calls that were sent: that nothing was executed was learned after."""
SENT_BEFORE = "sent before: "
"""Begins the note of a row whose last reason hides that something was sent under its key."""
SETTLED_BY: Mapping[str, str] = {
    "found_by_inquiry": "inquiry",
    "resolved": "operator",
    "webhook": "webhook",
}
"""By the reason of a settled row: who said that it was executed, where not its own answer did."""


class Settling(StrEnum):
    """What has been done about a row in doubt; empty for any other row."""

    NOTHING = ""
    ABSENT = "absent"
    """The partner did not have the call when it was asked, which was too early to be believed."""
    GAVE_UP = "gave_up"
    """The partner is not asked any more; `note` says after how many inquiries."""
    REVERSING = "reversing"
    """A reversal may have been sent: from then on no answer to the call itself counts."""
    UNREVERSED = "unreversed"
    """The same, and no more reversals are sent."""


NEXT_STEP: Mapping[str, str] = {
    Settling.NOTHING: "Ask again later with the same key.",
    Settling.ABSENT: "The partner does not have it yet; ask again later with the same key.",
    Settling.GAVE_UP: "The partner could not say; an operator has to look into it.",
    Settling.REVERSING: "It is being reversed; when that is done, the same key is free again.",
    Settling.UNREVERSED: "It could not be reversed; an operator has to look into it.",
}
"""What a caller is told to do about a call in doubt."""


@dataclass(frozen=True, slots=True)
class Reverse:
    """A reversal is about to be sent. It raises the token: older news count no more."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What was learned about a row in doubt without ending it: ABSENT, GAVE_UP or UNREVERSED."""

    settling: Settling
    note: str = ""

"""What goes wrong with partners while a training runs, so that it runs what is for that, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tools.train_calls import AUTHENTICATION, CHARGE, MIXTURE, PLAIN, Kind


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with one partner for a while, and what calls may be answered meanwhile."""

    upstream: str
    rules: tuple[dict[str, Any], ...]
    kinds: tuple[Kind, ...]
    also: tuple[int, ...]
    elsewhere: str | None = None
    """Who answers in its place, each time."""


TROUBLES = (
    Trouble(
        "processor-a",
        (
            {"kind": "status", "status": 503, "share": 0.125, "by": "counter"},
            {"kind": "slow", "delay_ms": 20, "share": 0.25, "by": "counter"},
        ),
        (*MIXTURE, PLAIN),
        (503,),
    ),
    Trouble("processor-a", ({"kind": "refuse"},), (CHARGE, PLAIN), (), "processor-b"),
    Trouble(
        "threeds-a",
        ({"kind": "status", "status": 503, "share": 0.25, "by": "counter"},),
        (AUTHENTICATION,),
        (503,),
    ),
)

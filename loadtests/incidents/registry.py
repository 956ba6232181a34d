"""Every replay there is, by the incident's id in the project's list of incidents."""

from __future__ import annotations

from loadtests.incidents.inc_03 import INC_03
from loadtests.incidents.inc_04 import INC_04
from loadtests.incidents.inc_05 import INC_05
from loadtests.incidents.inc_06 import INC_06
from loadtests.incidents.inc_07 import INC_07
from loadtests.incidents.inc_08 import INC_08
from loadtests.incidents.inc_09 import INC_09
from loadtests.incidents.inc_10 import INC_10
from loadtests.incidents.inc_15 import INC_15
from loadtests.incidents.inc_16 import INC_16
from loadtests.incidents.inc_18 import INC_18
from loadtests.incidents.inc_20 import INC_20
from loadtests.incidents.inc_21 import INC_21
from loadtests.incidents.inc_24 import INC_24
from loadtests.incidents.inc_25 import INC_25
from loadtests.incidents.inc_26 import INC_26
from loadtests.incidents.run import Replay

REPLAYS: dict[str, Replay] = {
    replay.id: replay
    for replay in (
        INC_03,
        INC_04,
        INC_05,
        INC_06,
        INC_07,
        INC_08,
        INC_09,
        INC_10,
        INC_15,
        INC_16,
        INC_18,
        INC_20,
        INC_21,
        INC_24,
        INC_25,
        INC_26,
    )
}


def chosen(only: str | None) -> list[Replay]:
    """The replays that `only` names, separated by commas, in that order; all without it.

    Raises ValueError, naming those that exist, for an id that has no replay.
    """
    if not only:
        return list(REPLAYS.values())
    ids = [part.strip().upper() for part in only.split(",") if part.strip()]
    unknown = [id_ for id_ in ids if id_ not in REPLAYS]
    if unknown or not ids:
        raise ValueError(
            f"no replay {', '.join(unknown) or repr(only)}; known: {', '.join(REPLAYS)}"
        )
    return [REPLAYS[id_] for id_ in dict.fromkeys(ids)]

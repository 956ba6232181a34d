"""The table of faults (PURE): which kinds there are, when they act and what they take.

    stage        acts on                            kinds
    listener     the listening socket, all of it    refuse, blackhole
    staff        the partner, all of it             workers
    pace         how long the partner works         slow
    answer       one answer, in place of it         hang, reset, close, half_answer, status,
                                                    wrong_status, eof_body
    afterwards   the connection after an answer     stray_bytes, idle_408, early_close

One request meets at most one rule of each stage, the first of the list that
matches it and whose share takes it; so `slow` goes together with any of the
others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from proxy.sandbox.variants import VARIANTS

DELAY_MS_MAX = 3_600_000
BYTES_MAX = 65_536
COUNT_MAX = 1_000_000


class Stage(StrEnum):
    """When a fault acts."""

    LISTENER = "listener"
    STAFF = "staff"
    PACE = "pace"
    ANSWER = "answer"
    AFTERWARDS = "afterwards"


class Execute(StrEnum):
    """When the partner executes what was asked, as seen from the fault."""

    BEFORE = "before"
    AFTER = "after"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Param:
    """A member that a kind takes.

    `read` returns the value, or raises ValueError saying what it must be.
    """

    read: Callable[[Any], Any]
    default: Any = None
    required: bool = False


def whole(least: int, most: int) -> Callable[[Any], int]:
    """A whole number in a range."""

    def read(found: Any) -> int:
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return found

    return read


def number(least: float, most: float) -> Callable[[Any], float]:
    """A number in a range."""

    def read(found: Any) -> float:
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise ValueError(f"must be a number from {least:g} to {most:g}")
        if not least <= found <= most:
            raise ValueError(f"must be a number from {least:g} to {most:g}")
        return float(found)

    return read


def one_of(*words: str) -> Callable[[Any], str]:
    """One of a few words."""

    def read(found: Any) -> str:
        if found not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return str(found)

    return read


def flag(found: Any) -> bool:
    """True or false."""
    if not isinstance(found, bool):
        raise ValueError("must be true or false")
    return found


def short_text(found: Any) -> str:
    """Text that goes out as it is."""
    if not isinstance(found, str) or not 0 < len(found) <= BYTES_MAX:
        raise ValueError(f"must be a text of 1 to {BYTES_MAX} characters")
    return found


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault. `execute` lists what it allows, the default first; empty: takes none."""

    stage: Stage
    execute: tuple[Execute, ...] = ()
    params: Mapping[str, Param] = field(default_factory=dict)
    exactly_one_of: tuple[str, ...] = ()


_BEFORE, _AFTER, _NEVER = Execute.BEFORE, Execute.AFTER, Execute.NEVER
_DELAY = Param(number(0, DELAY_MS_MAX), 0.0)
_AFTER_BYTES = Param(whole(0, BYTES_MAX), 0)

KINDS: Mapping[str, Kind] = {
    "refuse": Kind(Stage.LISTENER, params={"established": Param(one_of("reset", "keep"), "reset")}),
    "blackhole": Kind(Stage.LISTENER),
    "workers": Kind(
        Stage.STAFF,
        params={
            "workers": Param(whole(1, COUNT_MAX), required=True),
            "queue_max": Param(whole(0, COUNT_MAX), COUNT_MAX),
        },
    ),
    "slow": Kind(
        Stage.PACE,
        (_AFTER, _BEFORE),
        {"delay_ms": Param(number(0, DELAY_MS_MAX)), "factor": Param(number(1, 10_000))},
        exactly_one_of=("delay_ms", "factor"),
    ),
    "hang": Kind(Stage.ANSWER, (_BEFORE, _NEVER)),
    "reset": Kind(Stage.ANSWER, (_BEFORE, _AFTER, _NEVER), {"after_bytes": _AFTER_BYTES}),
    "close": Kind(Stage.ANSWER, (_BEFORE, _AFTER, _NEVER), {"after_bytes": _AFTER_BYTES}),
    "half_answer": Kind(
        Stage.ANSWER, (_BEFORE, _NEVER), {"then": Param(one_of("close", "stall"), "close")}
    ),
    "status": Kind(
        Stage.ANSWER, (_NEVER, _BEFORE), {"status": Param(whole(200, 599), required=True)}
    ),
    "wrong_status": Kind(
        Stage.ANSWER,
        (_BEFORE, _NEVER),
        {"variant": Param(one_of(*VARIANTS), required=True)},
    ),
    "eof_body": Kind(Stage.ANSWER, (_BEFORE,)),
    "stray_bytes": Kind(
        Stage.AFTERWARDS,
        params={
            "bytes": Param(short_text),
            "second_answer": Param(flag),
            "delay_ms": _DELAY,
        },
        exactly_one_of=("bytes", "second_answer"),
    ),
    "idle_408": Kind(Stage.AFTERWARDS, params={"delay_ms": _DELAY}),
    "early_close": Kind(Stage.AFTERWARDS, params={"delay_ms": _DELAY}),
}

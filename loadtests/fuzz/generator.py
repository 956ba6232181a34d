"""From (seed, index) to a stream of requests, how it is sent, and what must come of it. PURE."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from enum import StrEnum

from loadtests.fuzz import defects_line  # noqa: F401 - the import registers defects
from loadtests.fuzz.defects import DEFECTS, Defect
from loadtests.fuzz.draft import Draft, plain, valid
from loadtests.fuzz.eithers import odd
from loadtests.fuzz.mutations import mutate
from loadtests.fuzz.reading import Accept, Either, Incomplete, Reading, Refuse
from loadtests.fuzz.reference import read_stream


class Kind(StrEnum):
    """How a stream was made."""

    VALID = "valid"
    DEFECT = "defect"
    EITHER = "either"
    MUTATED = "mutated"
    TRUNCATED = "truncated"
    ABANDONED = "abandoned"


WEIGHTS = {
    Kind.VALID: 30,
    Kind.DEFECT: 32,
    Kind.EITHER: 6,
    Kind.MUTATED: 22,
    Kind.TRUNCATED: 8,
    Kind.ABANDONED: 2,
}
_KINDS, _SHARES = list(WEIGHTS), list(WEIGHTS.values())


class TagError(Exception):
    """Builder and reference disagree about a case: a mistake of this tool, not of the proxy."""


@dataclass(frozen=True, slots=True)
class Case:
    """One connection's worth. `pieces` are sent one by one; together they are the stream.

    `lockstep` waits for the answer to each piece before the next; `half_close`
    ends the sending side afterwards; an abandoned case is hung up unread.
    `tag` is the one expected reading that the builder is sure of, last in line.
    """

    index: int
    kind: Kind
    name: str
    pieces: tuple[bytes, ...]
    readings: tuple[Reading, ...]
    lockstep: bool
    half_close: bool

    @property
    def stream(self) -> bytes:
        """Every byte, in order."""
        return b"".join(self.pieces)


def make(seed: int, index: int, *, whole: bool = False) -> Case:
    """The case at `index` of the run with `seed`; `whole` leaves out the splitting."""
    rng = random.Random((seed << 40) ^ index)
    kind = rng.choices(_KINDS, _SHARES)[0]
    drafts = [valid(rng, index, sub).render() for sub in range(_count(rng, kind))]
    name, readings = kind.value, None
    if kind is Kind.DEFECT:
        name, readings = _spoil(rng, index, drafts)
    elif kind is Kind.EITHER:
        draft = plain(rng, index, len(drafts))
        odd(rng, draft)
        drafts.append(draft.render())
    elif kind is Kind.MUTATED:
        drafts = [mutate(rng, b"".join(drafts))]
    elif kind is Kind.TRUNCATED:
        stream = b"".join(drafts)
        drafts = [stream[: rng.randrange(1, len(stream))]]
    if readings is None:
        readings = read_stream(b"".join(drafts))
    _check_tag(kind, readings)
    lockstep = kind is Kind.VALID and rng.random() < 0.2
    pieces = drafts if lockstep or whole else _split(rng, drafts)
    ends = any(isinstance(each, Incomplete) for each in readings)
    half_close = ends or (kind is Kind.VALID and rng.random() < 0.1)
    return Case(index, kind, name, tuple(pieces), tuple(readings), lockstep, half_close)


def _count(rng: random.Random, kind: Kind) -> int:
    """How many valid requests a stream holds, or begins with."""
    if kind is Kind.VALID:
        return rng.choice((1, 2, 4, 8, 16, 24))
    if kind in (Kind.DEFECT, Kind.EITHER):
        return rng.choice((0, 0, 0, 1, 3))
    return rng.choice((1, 1, 2, 4))


def _spoil(rng: random.Random, index: int, drafts: list[bytes]) -> tuple[str, list[Reading]]:
    """Append one request with a defect, and often a well-formed one that must not slip through."""
    chosen = rng.choice(DEFECTS)
    draft = plain(rng, index, len(drafts))
    before = len(drafts)
    drafts.append(spoilt(rng, chosen, draft))
    if rng.random() < 0.5:
        drafts.append(plain(rng, index, len(drafts)).render())
    readings = read_stream(b"".join(drafts))
    found = readings[before] if len(readings) > before else None
    if not isinstance(found, Refuse) or not chosen.statuses & found.statuses:
        raise TagError(f"{chosen.name}: read as {found}")
    if found.closes and not chosen.closes:
        raise TagError(f"{chosen.name}: the reference closes")
    readings[before] = Refuse(chosen.statuses & found.statuses, found.closes)
    return chosen.name, readings


def spoilt(rng: random.Random, defect: Defect, draft: Draft) -> bytes:
    """The bytes of `draft` with `defect`."""
    replaced = defect.edit(rng, draft)
    return draft.render() if replaced is None else replaced


def _check_tag(kind: Kind, readings: list[Reading]) -> None:
    """What was built as valid must be read as valid: the reference is checked with every case."""
    if kind in (Kind.VALID, Kind.ABANDONED):
        if not all(isinstance(each, Accept) for each in readings):
            raise TagError(f"built as valid, read as {readings}")
    elif kind is Kind.EITHER and not isinstance(readings[-1], Either):
        raise TagError(f"built as odd, read as {readings[-1]}")


def _split(rng: random.Random, drafts: list[bytes]) -> list[bytes]:
    """Cut the stream: not at all, between requests, at some places, or at every byte."""
    stream = b"".join(drafts)
    chance = rng.random()
    if chance < 0.5:
        return [stream]
    if chance < 0.65:
        return drafts
    if chance < 0.97 or len(stream) > 600:
        cuts = sorted(rng.randrange(len(stream) + 1) for _ in range(rng.randrange(1, 5)))
        edges = [0, *cuts, len(stream)]
        pieces = [stream[one:other] for one, other in itertools.pairwise(edges)]
        return [piece for piece in pieces if piece]
    return [stream[at : at + 1] for at in range(len(stream))]

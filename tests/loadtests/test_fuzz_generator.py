"""The fuzzer's cases: reproducible, of every kind, and tagged with what must come of them."""

from __future__ import annotations

import collections
import random

import pytest

from loadtests.fuzz.defects import DEFECTS, Defect
from loadtests.fuzz.draft import plain, valid
from loadtests.fuzz.eithers import odd
from loadtests.fuzz.generator import Kind, make, spoilt
from loadtests.fuzz.limits import CANARY, SUBS_MAX
from loadtests.fuzz.reading import Accept, Either, Refuse, case_number, case_value
from loadtests.fuzz.reference import read_stream

SEEDS = range(40)


@pytest.mark.parametrize("seed", SEEDS)
def test_valid_requests_are_read_as_built(seed: int) -> None:
    """What the generator calls valid the reference accepts, with the body and number given."""
    draft = valid(random.Random(seed), seed, 3)
    [accept] = read_stream(draft.render())
    assert isinstance(accept, Accept)
    assert (accept.method, accept.body) == (draft.method, draft.body)
    assert accept.number == seed * SUBS_MAX + 3


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_each_defect_is_one(defect: Defect) -> None:
    """A request with the defect is refused by its statuses, and the one without is not."""
    for seed in SEEDS:
        rng = random.Random(seed)
        assert isinstance(read_stream(plain(rng, 1, 0).render())[0], Accept)
        refusal = read_stream(spoilt(rng, defect, plain(rng, 1, 0)))[0]
        assert isinstance(refusal, Refuse)
        assert refusal.statuses & defect.statuses
        assert refusal.closes is defect.closes


def test_defects_have_names_of_their_own() -> None:
    """A violation is found again by its name."""
    names = collections.Counter(defect.name for defect in DEFECTS)
    assert len(names) == len(DEFECTS) > 90


@pytest.mark.parametrize("seed", SEEDS)
def test_odd_requests_are_odd(seed: int) -> None:
    """Either verdict is right for them, by the reference too."""
    rng = random.Random(seed)
    draft = plain(rng, seed, 0)
    odd(rng, draft)
    [either] = read_stream(draft.render())
    assert isinstance(either, Either)


def test_a_case_is_made_again_from_seed_and_index() -> None:
    """The same bytes, pieces and readings; another seed makes others."""
    assert [make(5, index) for index in range(50)] == [make(5, index) for index in range(50)]
    assert make(5, 1) != make(6, 1)


def test_every_kind_and_split_occurs() -> None:
    """A few hundred cases hold every kind, single-byte splits, half-closes and the canary."""
    cases = [make(9, index) for index in range(600)]
    assert {case.kind for case in cases} == set(Kind)
    assert any(len(case.pieces) == len(case.stream) > 100 for case in cases)
    assert any(case.half_close for case in cases)
    assert any(case.lockstep for case in cases)
    assert sum(CANARY in case.stream for case in cases) > 100
    assert all(len(case.readings) <= SUBS_MAX for case in cases)


def test_a_damaged_case_number_does_not_count() -> None:
    """A mutated number must not pass for another's."""
    value = case_value(12, 3)
    assert case_number([(b"x-case", value)]) == 12 * SUBS_MAX + 3
    assert case_number([(b"x-case", b"1" + value)]) is None
    assert case_number([(b"x-case", value), (b"x-case", value)]) is None
    assert case_number([]) is None

"""Dataclasses get an `__init__` that can be compiled, and it does what theirs does."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from tools.native_init import with_native_inits

SOURCE = '''from __future__ import annotations
from dataclasses import dataclass, field


@dataclass(slots=True)
class Base:
    """One."""

    a: int
    b: str = "x"


@dataclass(slots=True, kw_only=True)
class Heir(Base):
    c: int
    d: float = float("inf")
    e: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Frozen:
    a: int


@dataclass
class Made:
    a: dict[str, int] = field(default_factory=dict)


class Plain:
    a: int
'''


def _run(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": __name__}
    exec(compile(text, "made", "exec"), names)
    return names


def test_no_line_moves() -> None:
    """Tracebacks of the compiled package fit the sources."""
    made = with_native_inits(SOURCE).splitlines()
    assert len(made) == len(SOURCE.splitlines())
    changed = [index for index, line in enumerate(SOURCE.splitlines()) if made[index] != line]
    assert [made[index].lstrip()[:12] for index in changed] == ["def __init__"] * 2
    assert all(not SOURCE.splitlines()[index] for index in changed)


def test_what_it_makes_is_equal() -> None:
    """Positions, names, defaults; a list of its own for each; fields of the base first."""
    plain, made = _run(SOURCE), _run(with_native_inits(SOURCE))
    for names in (plain, made):
        assert [each.name for each in fields(names["Heir"])] == ["a", "b", "c", "d", "e"]
    assert repr(made["Base"](1)) == repr(plain["Base"](1)) == "Base(a=1, b='x')"
    one, other = made["Heir"](a=1, c=2), made["Heir"](a=1, c=2, b="y", e=[3])
    assert repr(one) == repr(plain["Heir"](a=1, c=2)) == "Heir(a=1, b='x', c=2, d=inf, e=[])"
    assert (other.b, other.e) == ("y", [3])
    assert one.e is not made["Heir"](a=1, c=2).e


def test_what_is_not_plain_stays() -> None:
    """Frozen classes, factories of other kinds, and classes that are no records."""
    made = with_native_inits(SOURCE)
    assert made.count("def __init__") == 2
    assert repr(_run(made)["Frozen"](1)) == "Frozen(a=1)"

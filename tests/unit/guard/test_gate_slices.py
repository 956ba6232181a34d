"""`proxy.guard.gate`: what is refused to one scheme is refused to no other."""

from __future__ import annotations

from proxy.model.breaker import BreakerLimits, BreakerMode
from proxy.model.outcome import Answered, Execution, Refused
from tests.support.values import candidate, response, upstream
from tests.unit.guard.sliced import A, B, Sliced, of, sliced
from tests.unit.guard.slices import OK, ending

BROKEN = Answered("acme", "a", response(500), Execution.UNKNOWN)


async def test_a_scheme_that_fails_is_refused_and_no_other() -> None:
    """With its name; the only way left for it is throttled by itself."""
    house = Sliced(sliced(A))
    house.mixed(30.0)
    house.mixed(8.0, "visa")
    handle = house.made.layer()(ending(house, BROKEN, 0.02))
    ends = [await handle(of(house.taken, "visa"), A) for _ in range(40)]
    refused = [end for end in ends if isinstance(end, Refused)]
    assert 8 <= ends.count(BROKEN) < 30
    assert {each.reason for each in refused} == {"breaker_throttled"}
    assert "authorize, scheme=visa, at a" in refused[0].detail
    handle = house.made.layer()(ending(house, OK, 0.02))
    assert [await handle(of(house.taken, "amex"), A) for _ in range(40)] == [OK] * 40
    rows = {row["part"]: row for row in house.made.report()}
    assert rows["scheme=visa"]["throttled"] == ends.count(BROKEN)
    assert rows[""]["throttled"] == 0


async def test_a_scheme_moves_on_where_another_candidate_would_take_it() -> None:
    """Refused at the first one, it is not the last way."""
    house = Sliced(sliced(A, B))
    house.mixed(30.0)
    house.mixed(4.0, "visa")
    handle = house.made.layer()(ending(house, OK))
    refused = await handle(of(house.taken, "visa"), A)
    assert isinstance(refused, Refused)
    assert refused.reason == "breaker_open"
    assert await handle(of(house.taken, "visa"), B) is OK


async def test_shadow_mode_tells_of_a_scheme_what_it_would_refuse() -> None:
    """And lets it through."""
    shadow = candidate(upstream=upstream(breaker=BreakerLimits(BreakerMode.SHADOW)))
    house = Sliced(sliced(shadow, B))
    house.mixed(30.0)
    house.mixed(8.0, "visa")
    before = house.part("scheme=visa").would_refuse
    handle = house.made.layer()(ending(house, OK))
    assert await handle(of(house.taken, "visa"), shadow) is OK
    assert house.part("scheme=visa").would_refuse == before + 1

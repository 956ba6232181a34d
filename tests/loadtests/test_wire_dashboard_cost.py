"""What ten viewers of 1,000 slices cost: the measurement measures, and the loop is not held."""

from __future__ import annotations

from loadtests.wire.dashboard_cost import VIEWERS, House


async def test_a_look_at_many_slices_is_cut_into_pieces_and_everybody_gets_all() -> None:
    """No hold comes near the whole; a loaded machine may stretch one by far."""
    house = House()
    hold_s, look_s = await house.looked_at(3)
    assert house.bugs == []
    assert house.live.dropped == 0
    assert house.bytes > 6 * VIEWERS * 100_000
    assert hold_s < look_s

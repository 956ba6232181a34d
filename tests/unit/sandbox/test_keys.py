"""Rules for the processor's idempotency keys."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from proxy.sandbox.keys import KEY_CHARACTERS_MAX, Keys
from proxy.sandbox.message import Answer, PartnerRequest


@dataclass
class Bench:
    """Keys with a counted run, whose end a test decides."""

    keys: Keys = field(default_factory=Keys)
    runs: int = 0
    worked: int = 0
    keep: bool = True
    may_end: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, amount: int = 1, key: str = "k") -> Answer:
        """Ask under a key."""
        request = _request({"amount": amount})
        async with asyncio.timeout(10):
            return await self.keys.once(request, key, self._work, self._run)

    async def _work(self) -> None:
        self.worked += 1

    async def _run(self) -> tuple[Answer, bool]:
        self.runs += 1
        number = self.runs
        await self.may_end.wait()
        return Answer(200 if self.keep else 400, {"run": number}), self.keep


def _request(body: dict[str, Any]) -> PartnerRequest:
    return PartnerRequest("POST", "/v1/charges", {}, body, "authorize")


async def test_the_first_result_is_the_result() -> None:
    """A second request runs nothing and gets the same answer, marked as replayed."""
    bench = Bench()
    bench.may_end.set()
    first, second = await bench.ask(), await bench.ask()
    assert bench.runs == 1
    assert second.body == first.body
    assert ("Idempotent-Replayed", "true") in second.headers
    assert ("Idempotent-Replayed", "true") not in first.headers
    assert bench.worked == 1
    assert bench.keys.replayed == 1


async def test_while_the_first_is_in_flight_others_get_409() -> None:
    """The second does not wait and does not run; afterwards the key replays."""
    bench = Bench()
    first = asyncio.create_task(bench.ask())
    await asyncio.sleep(0)
    assert (await bench.ask()).status == 409
    bench.may_end.set()
    assert (await first).body == (await bench.ask()).body
    assert bench.runs == 1


async def test_other_parameters_under_a_key_are_an_error_even_in_flight() -> None:
    """A key belongs to the parameters it came with first."""
    bench = Bench()
    first = asyncio.create_task(bench.ask(amount=1))
    await asyncio.sleep(0)
    refused = await bench.ask(amount=2)
    bench.may_end.set()
    await first
    assert (refused.status, (await bench.ask(amount=2)).status) == (400, 400)
    assert refused.body["error"]["code"] == "idempotency_error"


async def test_a_refused_request_keeps_no_key() -> None:
    """What validation refused may be sent again, corrected, under the same key."""
    bench = Bench(keep=False)
    bench.may_end.set()
    assert (await bench.ask(amount=1)).status == 400
    bench.keep = True
    assert (await bench.ask(amount=2)).body == {"run": 2}


async def test_a_run_that_breaks_frees_its_key() -> None:
    """A cancelled run leaves nothing that would answer 409 for ever."""
    bench = Bench()
    first = asyncio.create_task(bench.ask())
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    bench.may_end.set()
    assert (await bench.ask()).body == {"run": 2}


async def test_a_restored_key_replays_and_a_long_one_is_refused() -> None:
    """Keys of an earlier life count; a key beyond the length limit is not even looked up."""
    bench = Bench()
    bench.keys.restore("k", _request({"amount": 1}).fingerprint, Answer(200, {"run": "old"}))
    assert (await bench.ask()).body == {"run": "old"}
    assert (await bench.ask(key="k" * (KEY_CHARACTERS_MAX + 1))).status == 400
    assert bench.runs == 0

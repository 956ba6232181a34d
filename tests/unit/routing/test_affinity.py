"""Rules for the layer that keeps a call with the partner of its payment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from proxy.model.affinity import Affinity, Follow, Name, Named, Otherwise, Place, Source
from proxy.model.call import Call
from proxy.model.outcome import Answered, Execution, Outcome, Refused
from proxy.model.route import Candidate, Idempotency
from proxy.routing.affinity import affinity
from proxy.routing.failover import failover
from tests.support.manual_clock import ManualClock
from tests.support.values import call, candidate, request, response, route
from tests.unit.idempotency.values import KEYED

CANDIDATES = (candidate("a", "north"), candidate("b", "south"), candidate("b2", "south"))
FOLLOW = Follow(
    "payments",
    reference=Source(pointer="/reference"),
    payment=Source(pointer="/id"),
    partners=(("pi_", "south"),),
)


class Office:
    """The layer above failover; `known` is what the journal has, None: it cannot be read."""

    def __init__(self, known: Mapping[str, Sequence[Place]] | None = None) -> None:
        self.known = known
        self.asked: list[Name] = []
        self.sent: list[str] = []

    async def find(self, name: Name) -> Sequence[Place] | None:
        """As the journal."""
        self.asked.append(name)
        return None if self.known is None else self.known.get(name.text, ())

    async def ask(
        self,
        body: bytes,
        follow: Follow | None = FOLLOW,
        *,
        candidates: tuple[Candidate, ...] = CANDIDATES,
        rule: Idempotency | None = None,
        journal: bool = True,
    ) -> tuple[Outcome, Call]:
        """How a call ends, and the call."""
        taken = route(
            *CANDIDATES, operation="capture", idempotency=rule,
            affinity=Affinity("shop", follow=follow),
        )  # fmt: skip
        made = call(request(body=body), taken)
        made.candidates = candidates
        inner = failover(self._attempt, ManualClock(), lambda _: candidates)
        return await affinity(self.find if journal else None)(inner)(made), made

    async def _attempt(self, _: Call, at: Candidate) -> Outcome:
        self.sent.append(at.upstream.name)
        return Answered(at.upstream.partner, at.upstream.name, response(), Execution.NONE)


async def test_a_payment_goes_to_its_partner_alone() -> None:
    """Where it was made first; failover stays among that partner's own."""
    office = Office({"ch_1": [("south", "b2")]})
    _, made = await office.ask(b'{"id": "ch_1"}')
    assert office.sent == ["b2", "b"]
    assert office.asked == [Name("shop", "payments", Named.PAYMENT, "ch_1")]
    assert made.why == "its payment's name is known at b2"


async def test_the_applications_reference_counts_where_the_partners_name_says_nothing() -> None:
    """It is asked for second."""
    office = Office({"order-1": [("south", "b")]})
    _, made = await office.ask(b'{"id": "ch_1", "reference": "order-1"}')
    assert office.sent == ["b", "b2"]
    assert [each.named for each in office.asked] == [Named.PAYMENT, Named.REFERENCE]
    assert made.why == "its payment's reference is known at b"


async def test_a_name_that_begins_as_a_partners_do_needs_no_journal() -> None:
    """Nobody is asked."""
    office = Office()
    _, made = await office.ask(b'{"id": "pi_1"}', journal=False)
    assert (office.sent, office.asked) == (["b", "b2"], [])
    assert "begins as those of south do" in made.why


@pytest.mark.parametrize("body", [b'{"id": "ch_1"}', b'{"reference": "o"}', b"{}", b"?"])
async def test_a_payment_that_nobody_knows_goes_nowhere(body: bytes) -> None:
    """Execution none is proven, and the reply says why."""
    office = Office({})
    refused, _ = await office.ask(body)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.status) == ("affinity_unknown", 409)
    assert (refused.execution, office.sent) == (Execution.NONE, [])


async def test_it_may_go_to_the_first_partner_if_that_is_wanted() -> None:
    """And to no other after that."""
    office = Office({})
    _, made = await office.ask(b"{}", replace(FOLLOW, otherwise=Otherwise.FIRST))
    assert office.sent == ["a"]
    assert made.why == "nobody knows its payment: the first partner"


async def test_a_name_of_several_partners_payments_is_refused() -> None:
    """Whatever is wanted for unknown ones: it is known, and not which."""
    office = Office({"ch_1": [("south", "b"), ("north", "a")]})
    refused, _ = await office.ask(b'{"id": "ch_1"}', replace(FOLLOW, otherwise=Otherwise.FIRST))
    assert isinstance(refused, Refused)
    assert (refused.reason, office.sent) == ("affinity_ambiguous", [])


async def test_where_operators_leave_it_no_way_it_is_refused() -> None:
    """A force to another partner moves no payment there."""
    office = Office({"ch_1": [("south", "b")]})
    refused, _ = await office.ask(b'{"id": "ch_1"}', candidates=CANDIDATES[:1])
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.partner) == ("affinity_elsewhere", "south")
    assert (refused.execution, office.sent) == (Execution.NONE, [])


async def test_without_a_journal_that_answers_nothing_is_sent() -> None:
    """Not even where unknown ones would be."""
    office = Office(None)
    refused, _ = await office.ask(b'{"id": "ch_1"}', replace(FOLLOW, otherwise=Otherwise.FIRST))
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.status, office.sent) == ("journal_unavailable", 503, [])


async def test_a_keyed_call_that_the_journal_has_not_judged_may_have_run_before() -> None:
    """So its refusal does not say that nothing was executed."""
    rule = replace(KEYED, header=b"x-key")
    office = Office({})
    with_key = replace(rule, header=b"content-type")
    refused, _ = await office.ask(b"{}", rule=rule)
    assert refused.execution is Execution.NONE
    taken = route(*CANDIDATES, idempotency=with_key, affinity=Affinity(follow=FOLLOW))
    made = call(request(fields=[(b"content-type", b"Content-Type", b"k1")]), taken)
    inner = failover(office._attempt, ManualClock())
    told = await affinity(office.find)(inner)(made)
    assert told.execution is Execution.UNKNOWN


async def test_other_calls_pass_through() -> None:
    """A route that follows nothing, and a call that may go nowhere already."""
    office = Office({})
    await office.ask(b'{"id": "ch_1"}', None)
    assert office.sent == ["a", "b", "b2"]
    refused, _ = await office.ask(b'{"id": "ch_1"}', candidates=())
    assert isinstance(refused, Refused)
    assert (refused.reason, office.asked) == ("no_candidate", [])

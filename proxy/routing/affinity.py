"""The layer that keeps a call with the partner of the payment that it belongs to.

It stands between choose and claim: the claim is fenced for the first candidate, so
where the call may go must be known by then. Like choose it refuses nothing. A
capture that may go nowhere may be the repetition of one whose answer is stored; so
it goes on to its claim, and `failover` refuses what turns out to be new.

    the payment's name begins as a partner's do    that partner's upstreams
    the journal knows the partner's name of it     the same
    the journal knows the application's            the same
    nobody knows it                                nowhere, or the first partner's

What narrows a call holds whatever the partner's state: an open breaker, an operator's
isolation or force refuse the call, and never move it to another partner.
"""

from __future__ import annotations

from collections.abc import Awaitable

from proxy.model.affinity import Find, Follow, Name, Named, Otherwise, tenant_of
from proxy.model.call import Call
from proxy.model.outcome import Outcome
from proxy.model.route import Route
from proxy.pipeline.layer import Handler, Layer
from proxy.routing.naming import (
    UNKNOWN,
    UNREAD,
    Narrowed,
    by_beginning,
    by_places,
    name_in,
    narrow,
)


def affinity(find: Find | None) -> Layer:
    """The layer; `find` asks the journal, if there is one."""

    def layer(inner: Handler) -> Handler:
        def handle(call: Call) -> Awaitable[Outcome]:
            assert call.route is not None
            follow = call.route.affinity.follow
            if follow is None or not call.candidates:
                return inner(call)
            payment = name_in(call.request, follow.payment) if follow.payment else ""
            partner = by_beginning(follow, payment)
            if partner:
                why = f"its payment's name begins as those of {partner} do"
                _apply(call, narrow(call.candidates, partner, why))
                return inner(call)
            return asked(call, call.route, follow, payment)

        async def asked(call: Call, route: Route, follow: Follow, payment: str) -> Outcome:
            _apply(call, await _by_journal(call, route, follow, payment))
            return await inner(call)

        async def _by_journal(call: Call, route: Route, follow: Follow, payment: str) -> Narrowed:
            reference = name_in(call.request, follow.reference) if follow.reference else ""
            tenant = tenant_of(call.request, route.affinity)
            for named, text in ((Named.PAYMENT, payment), (Named.REFERENCE, reference)):
                if not text or find is None:
                    continue
                places = await find(Name(tenant, follow.group, named, text))
                if places is None:
                    return Narrowed((), "", UNREAD)
                found = by_places(call.candidates, places, f"its payment's {_WORDS[named]}")
                if found is not None:
                    return found
            return _unknown(call, follow)

        return handle

    return layer


_WORDS = {Named.PAYMENT: "name", Named.REFERENCE: "reference"}


def _unknown(call: Call, follow: Follow) -> Narrowed:
    if follow.otherwise is Otherwise.REFUSE:
        return Narrowed((), "", UNKNOWN)
    first = call.candidates[0].upstream.partner
    return narrow(call.candidates, first, "nobody knows its payment: the first partner")


def _apply(call: Call, narrowed: Narrowed) -> None:
    call.candidates, call.why, call.nowhere = (
        narrowed.candidates, narrowed.why, narrowed.refusal,
    )  # fmt: skip

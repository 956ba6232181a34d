"""Rules for what belongs to an earlier payment."""

from __future__ import annotations

from proxy.model.affinity import NO_AFFINITY, Affinity, Follow, follows, tenant_of
from tests.support.values import headers, request, route


def test_what_belongs_to_an_earlier_payment() -> None:
    """By its operation, or because its route follows one: the completion of a 3-D Secure step."""
    assert follows("capture", NO_AFFINITY)
    assert not follows("authenticate", NO_AFFINITY)
    completing = Affinity(follow=Follow("threeds"))
    assert follows("authenticate", completing)
    assert route(operation="authenticate", affinity=completing).follows


def test_whose_names_count() -> None:
    """A header's tenant where there is one, else the route's."""
    told = request(fields=headers(("X-Tenant", "shop-2")))
    affinity = Affinity("shop-1", b"x-tenant")
    assert tenant_of(told, affinity) == "shop-2"
    assert tenant_of(request(), affinity) == tenant_of(told, Affinity("shop-1")) == "shop-1"

"""Configurations of replays: with a journal, partners by kind and a route to each; without one, a
single route. PURE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

OWN_KEYS = {"header": "Idempotency-Key"}
ASKED = {
    "reference": "/merchantReference",
    "target": "/payments?merchantReference={reference}",
    "found": "/payments/0/pspReference",
}
"""How the sandbox's acquirer is asked about a payment; `absent_after` is the replay's."""


def configuration(
    port: int,
    journal: Mapping[str, Any],
    partners: Mapping[str, Mapping[str, Any]],
    routes: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """A sidecar on a port that stays the same over its restarts."""
    return {
        "version": 1,
        "listen": {"address": f"127.0.0.1:{port}", "timeout_drain": "1s"},
        "admin": {"address": "127.0.0.1:0"},
        "log": {"calls": False},
        "journal": dict(journal),
        "partners": {name: dict(partner) for name, partner in partners.items()},
        "routes": [dict(route) for route in routes],
    }


def one_route(
    partners: Mapping[str, Mapping[str, Any]],
    candidates: Sequence[str],
    deadline: str,
    **over: Any,
) -> dict[str, Any]:
    """A sidecar without a journal, and payments below `/psp/` unless `over` says otherwise."""
    return {
        "version": 1,
        "listen": {"address": "127.0.0.1:0", "timeout_drain": "1s"},
        "admin": {"address": "127.0.0.1:0"},
        "partners": dict(partners),
        "routes": [
            {
                "name": "payments",
                "match": {"path": "/psp/"},
                "strip_prefix": True,
                "operation": "authorize",
                "candidates": list(candidates),
                "deadline": deadline,
                **over,
            }
        ],
    }


def partner(name: str, url: str, **members: Any) -> dict[str, Any]:
    """A partner with one upstream, called like it."""
    return {"upstreams": {name: {"url": url}}, **members}


def route(
    name: str, deadline: str = "5s", idempotency: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The route `/NAME/` to the partner of that name; its calls need keys unless told otherwise."""
    return {
        "name": name,
        "match": {"path": f"/{name}/"},
        "strip_prefix": True,
        "operation": "authorize",
        "candidates": [name],
        "deadline": deadline,
        "idempotency": dict(idempotency or {"key": "required", "wait": "1s"}),
    }

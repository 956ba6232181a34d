"""What no single key can know: mistakes between keys, upstreams and routes.

Each check yields findings about settings that may be incomplete, since other
places of the file were wrong; `finding.py` drops the conclusions that rest on those.
"""

from __future__ import annotations

from collections.abc import Iterator

from proxy.settings.base import Model
from proxy.settings.checks_affinity import check_affinity
from proxy.settings.checks_alerts import check_alerts
from proxy.settings.checks_best_effort import check_best_effort
from proxy.settings.checks_dimensions import check_dimensions
from proxy.settings.checks_files import check_files
from proxy.settings.checks_keys import check_keys
from proxy.settings.checks_order import check_order
from proxy.settings.checks_probing import check_probing
from proxy.settings.checks_routes import check_routes
from proxy.settings.checks_telemetry import check_telemetry
from proxy.settings.checks_upstreams import check_upstreams
from proxy.settings.finding import Finding, settle
from proxy.settings.problems import Problem
from proxy.settings.schema import Settings
from proxy.settings.secret import Secret
from proxy.settings.tree import Loc, Node

TOKEN_LENGTH_MIN = 16


def check(settings: Settings, root: Node) -> tuple[list[Problem], list[Problem]]:
    """Problems and warnings."""
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for problem, is_warning in settle(root, _findings(settings, root)):
        (warnings if is_warning else problems).append(problem)
    return problems, warnings


def _findings(settings: Settings, root: Node) -> Iterator[Finding]:
    yield from _check_listeners(settings)
    yield from _check_token(settings)
    yield from check_files(settings)
    yield from check_keys(settings)
    yield from check_upstreams(settings)
    yield from check_routes(settings, upstream_names(root))
    yield from check_best_effort(settings)
    yield from check_affinity(settings)
    yield from check_order(settings)
    yield from check_dimensions(settings)
    yield from check_probing(settings)
    yield from check_telemetry(settings)
    yield from check_alerts(settings)


def upstream_names(root: Node) -> frozenset[str]:
    """Every upstream name of the file, also of upstreams that are wrong otherwise."""
    return frozenset(
        str(name)
        for key, partners in root.children()
        if key == "partners"
        for _, partner in partners.children()
        for key_below, upstreams in partner.children()
        if key_below == "upstreams"
        for name, _ in upstreams.children()
    )


def _check_listeners(settings: Settings) -> Iterator[Finding]:
    listen, admin = settings.listen, settings.admin
    if not listen.methods:
        remedy = "name the methods that applications use, or remove the key"
        yield Finding(("listen", "methods"), "is an empty list: every call is refused", remedy)
    if not listen.address.is_local and listen.token is None:
        yield Finding(
            ("listen", "address"),
            "is reachable from other machines, and no token is asked for",
            "listen on 127.0.0.1 or a Unix socket, or set listen.token",
            (("listen", "token"),),
        )
    if not admin.address.is_local:
        yield Finding(
            ("admin", "address"),
            "is reachable from other machines",
            "use 127.0.0.1, [::1] or unix:/path",
        )
    if admin.address.clashes(listen.address):
        yield Finding(
            ("admin", "address"),
            "is the address that listen has",
            "choose another port or path",
            (("listen", "address"),),
        )


def _check_token(settings: Settings) -> Iterator[Finding]:
    yield from _check_secrecy(settings.listen, settings.listen.token, "listen")
    yield from _check_secrecy(settings.admin, settings.admin.token, "admin")


def _check_secrecy(model: Model, token: Secret | None, name: str) -> Iterator[Finding]:
    place: Loc = (name, "token")
    if token is None:
        return
    if "token" not in model.masked:
        remedy = "refer to it: ${NAME} or ${file:/path}"
        yield Finding(place, "stands in the file itself", remedy, is_warning=True)
    if len(token.reveal()) < TOKEN_LENGTH_MIN:
        remedy = f"use {TOKEN_LENGTH_MIN} characters or more"
        yield Finding(place, "is short enough to guess", remedy, is_warning=True)

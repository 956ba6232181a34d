"""What the command line asks of a configuration without starting a sidecar."""

from __future__ import annotations

from proxy.inbound.access import insist
from proxy.routing.explain import explain
from proxy.routing.table import RouteTable
from proxy.settings.build import build
from proxy.settings.load import Loaded
from proxy.upstream.rewrite import Rewriter
from proxy.upstream.tls import client_context


def explain_call(loaded: Loaded, host: str, target: str, method: str) -> str | None:
    """What would happen to a call, for `tidegate explain`; LookupError if it would be refused."""
    table = RouteTable(build(loaded.settings).routes)
    insist(host.encode(), target.encode(), table.accepted(loaded.settings.listen.hosts))
    return explain(table, host, target, method, lambda *at: Rewriter(*at).target(target.encode()))


def files_are_usable(loaded: Loaded) -> None:
    """Load every certificate that the configuration names. Raises TlsSetupError."""
    for upstream in build(loaded.settings).upstreams.values():
        if upstream.tls:
            client_context(upstream.tls_files)

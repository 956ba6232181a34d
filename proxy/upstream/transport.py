"""The pool and the rewriters of one upstream, as the attempt layer uses them."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.http1.pool import Pool
from proxy.model.route import Candidate, Route
from proxy.upstream.rewrite import Rewriter


@dataclass(slots=True)
class Transport:
    """Sends calls to one upstream. Rewriters are made at first use and bounded by the routes."""

    pool: Pool
    _rewriters: dict[tuple[str, str], Rewriter] = field(default_factory=dict)

    def rewriter(self, route: Route, candidate: Candidate) -> Rewriter:
        """The rewriter for this route's calls to this upstream."""
        key = (route.name, candidate.upstream.name)
        rewriter = self._rewriters.get(key)
        if rewriter is None:
            rewriter = self._rewriters[key] = Rewriter(route, candidate)
        return rewriter

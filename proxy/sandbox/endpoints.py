"""What every kind of partner has in common: a table of endpoints, and one way to be asked."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from proxy.sandbox.message import Answer, PartnerRequest, error

Work = Callable[[], Awaitable[None]]
"""Takes the partner's time; a partner awaits it once, before it executes or looks up."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method and a path pattern, whose one group, if any, is the id; and what it does."""

    method: str
    pattern: re.Pattern[str]
    operation: str
    act: str
    """The name of the partner's method for it."""


def endpoint(method: str, path: str, operation: str, act: str) -> Endpoint:
    """An endpoint from a path in which `{id}` stands for an id."""
    pattern = re.escape(path).replace(r"\{id\}", r"([A-Za-z0-9_-]{1,64})")
    return Endpoint(method, re.compile(pattern), operation, act)


@dataclass(frozen=True, slots=True)
class Found:
    """The endpoint of a request, and the id in its path ('' without one)."""

    endpoint: Endpoint
    id: str


class Endpoints:
    """The table of one kind of partner."""

    def __init__(self, table: Sequence[Endpoint]) -> None:
        self._table = table

    def find(self, method: str, path: str) -> Found | Answer:
        """The endpoint, or the 404 or 405 that takes its place."""
        known_path = False
        for candidate in self._table:
            matched = candidate.pattern.fullmatch(path)
            if matched and candidate.method == method:
                return Found(candidate, matched[1] if matched.groups() else "")
            known_path = known_path or matched is not None
        if known_path:
            return error(405, "method_not_allowed", "this path takes another method")
        return error(404, "not_found", "no such path")

    def operation(self, method: str, path: str) -> str:
        """The operation of a request, `other` where there is none."""
        found = self.find(method, path)
        return found.endpoint.operation if isinstance(found, Found) else "other"


class Partner(Protocol):
    """A kind of partner."""

    endpoints: Endpoints

    async def answer(self, request: PartnerRequest, work: Work) -> Answer:
        """Do what is asked, once `work` is done; whatever was executed is durable on return."""

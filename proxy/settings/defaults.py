"""What operations and answers mean unless a partner's configuration says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from proxy.model.bulkhead import Priority
from proxy.model.outcome import Execution
from proxy.model.route import Money

STATUSES: Mapping[int, Execution] = MappingProxyType(
    {
        2: Execution.DONE,
        3: Execution.DONE,
        4: Execution.DONE,
        5: Execution.UNKNOWN,
        408: Execution.UNKNOWN,
        409: Execution.UNKNOWN,
        425: Execution.UNKNOWN,
        429: Execution.NONE,
    }
)
"""What a status or class proves. A server error proves nothing: the charge may stand. 429 is the
one refusal that partners give before they do any work."""

MONEY: Mapping[str, Money] = MappingProxyType(
    {
        "authorize": Money.YES,
        "capture": Money.YES,
        "refund": Money.YES,
        "void": Money.YES,
        "authenticate": Money.NO,
        "inquire": Money.NO,
        "other": Money.BY_METHOD,
    }
)
"""Whether an operation moves money. What nobody declared is taken to, unless it is GET or HEAD."""

PRIORITY: Mapping[str, Priority] = MappingProxyType(
    {
        "authorize": Priority.PAYMENT,
        "capture": Priority.PAYMENT,
        "refund": Priority.BACK_OFFICE,
        "void": Priority.BACK_OFFICE,
        "authenticate": Priority.AUTHENTICATION,
        "inquire": Priority.BACK_OFFICE,
        "other": Priority.BACK_OFFICE,
    }
)
"""What a customer waits for at the till comes first. A payment cannot go on without its
authentication, but one that has got so far is worth more than one that begins."""
